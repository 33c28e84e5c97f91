"""What `exengine doctor` says of each place that notices go to; nothing is sent."""

from exengine.domain.errors import UserError
from exengine.notify.delivery import NotDelivered, service_of


def check_address(url: str) -> str:
    """The service of an address with its secrets, in words. Raises UserError where it is none."""
    try:
        service = service_of(url)
    except NotDelivered as error:
        raise UserError(
            f"It cannot be sent to: {error}.",
            safe="Trading is not touched by it.",
            remedy="Enter the address again in Settings, Notifications, and send a test notice.",
        ) from None
    return f"{service}; nothing was sent, for that send a test notice from Settings"
