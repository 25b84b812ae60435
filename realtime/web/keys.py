"""What every handler finds in the application."""

from __future__ import annotations

from aiohttp import web

from realtime.web.darkroom import Darkroom
from realtime.web.gate import Pass
from realtime.web.intake import Intake
from realtime.web.peers import Peers
from realtime.web.studio import Studio

STUDIO = web.AppKey("studio", Studio)
PEERS = web.AppKey("peers", Peers)
DARKROOM = web.AppKey("darkroom", Darkroom)
INTAKE = web.AppKey("intake", Intake)
PASS = web.AppKey("pass", Pass)
