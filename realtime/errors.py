"""Everything that can go wrong, as one tree. Floor 0.

    ScrimError                       message, hint; the base is never raised
    + ConfigError                    exit 2
    |   + UnknownName 404  + StoreFull 409
    + ModelError                     exit 3
    |   + ModelNotFound  + ModelContract
    + SourceError                    exit 4
    |   + SourceUnavailable  + SourceLost
    + SinkError                      exit 5
    |   + SinkUnavailable  + SinkLost
    + ControlUnavailable             exit 6
    + ServiceUnavailable             exit 7
    + FrameError                     one frame could not be matted: count it, show the slate
    + PeerError                      a browser asked for what it cannot have
        + TooManyPeers 503  + BadOffer 400  + NegotiationFailed 422
        + BodyTooLarge 413  + BadPicture 422
    EndOfStream                      no error: the source has no more frames

Foreign exceptions are translated in the room where the library lives. The exit code
and the HTTP status are class attributes, so that no caller keeps a table of its own; what is
worth another try is a class: `SourceLost`, `SinkLost`.
"""

from __future__ import annotations


class ScrimError(Exception):
    """`message` says what is wrong, `hint` what to do about it."""

    exit_code = 1
    http_status = 500

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ConfigError(ScrimError):
    """A key of the configuration, a command-line value or a scene that cannot be."""

    exit_code = 2
    http_status = 400


class UnknownName(ConfigError):
    """A browser named what is not there."""

    http_status = 404


class StoreFull(ConfigError):
    """There is no room for one more."""

    http_status = 409


class ModelError(ScrimError):
    """The network cannot be used."""

    exit_code = 3


class ModelNotFound(ModelError):
    """No such name in models_ir/ and no such file."""


class ModelContract(ModelError):
    """The IR's card is missing or at odds with its graph."""


class SourceError(ScrimError):
    """Frames cannot be had."""

    exit_code = 4


class SourceUnavailable(SourceError):
    """The source could not be opened; the message lists every reason."""


class SourceLost(SourceError):
    """The source worked and does not any more; opening it again may help."""


class SinkError(ScrimError):
    """Frames cannot be delivered."""

    exit_code = 5


class SinkUnavailable(SinkError):
    """The sink could not be opened; the message lists every reason."""


class SinkLost(SinkError):
    """The sink worked and does not any more; opening it again may help."""


class ControlUnavailable(ScrimError):
    """No running Scrim takes orders."""

    exit_code = 6


class ServiceUnavailable(ScrimError):
    """The system's services cannot be changed."""

    exit_code = 7


class FrameError(ScrimError):
    """One frame could not be matted or is no frame at all."""

    http_status = 400


class PeerError(ScrimError):
    """A browser asked for what it cannot have."""

    http_status = 400


class TooManyPeers(PeerError):
    """All places are taken."""

    http_status = 503


class BadOffer(PeerError):
    """The body is no offer that could be answered."""


class NegotiationFailed(PeerError):
    """The offer is well formed, but nothing in it can be agreed on."""

    http_status = 422


class BodyTooLarge(PeerError):
    """A request carries more than is taken."""

    http_status = 413


class BadPicture(PeerError):
    """What was sent is no picture, or one that is too large to be opened."""

    http_status = 422


class EndOfStream(Exception):
    """The source has delivered its last frame."""
