"""Handing one message to apprise, which knows the services; it is loaded with the first one."""

import logging
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from exengine.domain.journal import Severity
from exengine.notify.message import Message

SHORTEST = 4
"""Shorter parts of an address are not taken for a password."""

HIDDEN = "•••"

# Its own lines quote what stands in an address; what went wrong is told by us.
logging.getLogger("apprise").propagate = False
logging.getLogger("apprise").addHandler(logging.NullHandler())


class NotDelivered(Exception):
    """A service did not take a message. The text says why, without anything of its address."""


def service_of(url: str) -> str:
    """What an address is of, as `Telegram`. Raises NotDelivered where no service has such an address."""
    return str(_loaded(url).service_name)


def deliver(url: str, message: Message) -> None:
    """Sends it, and takes as long as the service does. Raises NotDelivered."""
    from apprise import NotifyFormat, NotifyType
    from apprise.conversion import convert_between

    service = _loaded(url)
    kinds = {Severity.ERROR: NotifyType.FAILURE, Severity.WARNING: NotifyType.WARNING, Severity.INFO: NotifyType.INFO}
    with _Listening() as said:
        try:
            # Not by apprise's own front: it sends in threads that the end of the program would wait for.
            form, kind = service.notify_format, kinds[message.severity]
            title, body = message.title, convert_between(NotifyFormat.TEXT, form, message.body)
            if service.title_maxlen <= 0:  # it stands in the body
                title = convert_between(NotifyFormat.TEXT, form, title)
            taken = service.notify(title=title, body=body, notify_type=kind, body_format=form)
        except Exception as error:  # noqa: BLE001  # whatever a plugin of a hundred does, it is only not delivered
            raise NotDelivered(type(error).__name__) from None
    if not taken:
        raise NotDelivered(without(url, said.last) or f"{service.service_name} did not take it")


def without(url: str, text: str) -> str:
    """`text` with every part of an address hidden that may be a password or a token."""
    parts = urlsplit(url)
    values = [pair.partition("=")[2] for pair in parts.query.split("&")]
    pieces = [parts.username, parts.password, *parts.path.split("/"), *values]
    host = parts.netloc.rpartition("@")[2]
    if "." not in host and not host.startswith("localhost"):
        pieces += [host, *host.split(":")]  # of many services it is the token
    known = {form for piece in pieces if piece for form in (piece, unquote(piece)) if len(form) >= SHORTEST}
    for piece in sorted(known, key=len, reverse=True):
        text = text.replace(piece, HIDDEN)
    return text.rstrip(".")


def _loaded(url: str) -> Any:
    """Apprise's plugin for the address."""
    from apprise import Apprise

    with _Listening():
        service = Apprise.instantiate(url, suppress_exceptions=True)
    if service is None:
        raise NotDelivered("it is no address of a service that apprise knows")
    return service


class _Listening(logging.Handler):
    """What apprise tells of a failure, in this thread alone."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.last = record.getMessage()

    def __enter__(self) -> "_Listening":
        logging.getLogger("apprise").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("apprise").removeHandler(self)


Deliver = Callable[[str, Message], None]
