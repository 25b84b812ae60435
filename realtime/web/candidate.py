"""Where a peer may ask us to send: ICE candidates (RFC 8839, section 5.1), and those refused.

Every candidate is an address to which this machine will send a packet because a stranger said so.
Link-local ones and the metadata services of clouds are never a browser's; those are left out, as
RFC 9725 (section 4.3.2) wants it for candidates that are not supported, and the rest goes on. They
are judged where aioice takes them, in its place: a browser's own name for its address (.local) has
become one there, by multicast DNS, which whoever is near may answer.
"""

from __future__ import annotations

import ipaddress

import aioice.ice
from aioice import Candidate

MAX_CANDIDATES = 64
"""Candidates of one peer; a laptop with many interfaces has a dozen."""

METADATA = tuple(
    map(ipaddress.ip_network, ("100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::/32"))
)
"""Cloud services that trust whoever can reach them; 169.254.169.254 is link-local."""

TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 addresses in IPv6 (RFC 6052)."""


_supported = aioice.ice.validate_remote_candidate


def install() -> None:
    """Let all of aioice's connections ask `checked`."""
    aioice.ice.validate_remote_candidate = checked


def checked(candidate: Candidate, host: str) -> str:
    """Return where a peer's candidate is. Raises `ValueError` if nothing may be sent there."""
    address = _supported(candidate, host)
    if candidate.component != 1 or not 0 < candidate.port < 65536:
        raise ValueError("no port of ours leads there")
    if _is_refused(ipaddress.ip_address(address)):
        raise ValueError(f"nothing is sent to {address}")
    return address


def _is_refused(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or _translated(address)
        if inner:
            return _is_refused(inner)
    kinds = (
        *(address.is_link_local, address.is_unspecified, address.is_multicast),
        *(str(address) == "255.255.255.255", any(address in network for network in METADATA)),
    )
    return any(kinds)


def _translated(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(address.packed[-4:]) if address in TRANSLATED else None
