"""Notifications: JSON documents posted to the URL in `NSMODELS_WEBHOOK_URL`, in the format of Slack's webhooks."""

from __future__ import annotations

import os
import time
from typing import Any

import dagster as dg

from nsmodels.core.errors import InputError

TIMEOUT = 3.0  # seconds; the tick of a sensor is limited to sixty, with up to five messages
PAUSES = (0.5, 1.5)  # seconds before the second and the third attempt
TRANSIENT = (408, 429, 500, 502, 503, 504)  # status codes for which a retry may succeed


class Webhook(dg.ConfigurableResource):
    """Receiver of notifications, as names of environment variables: the UI shows this, and the URL is a secret."""

    variable: str = "NSMODELS_WEBHOOK_URL"
    ui_variable: str = "NSMODELS_UI_URL"

    @property
    def is_set(self) -> bool:
        """Whether there is a URL to post to."""
        return bool(os.environ.get(self.variable))

    def link(self, path: str) -> str | None:
        """URL of a page of the web UI; None if the address of the UI is not set."""
        root = os.environ.get(self.ui_variable)
        return f"{root.rstrip('/')}/{path}" if root else None

    def send(self, text: str, **fields: Any) -> None:
        """Post a message with additional fields; fields that are None or empty are omitted.

        Raises `InputError`, which never contains the URL, if all three attempts fail.
        """
        document = {"text": text, **{name: value for name, value in fields.items() if value not in (None, "", [])}}
        url, failure = os.environ[self.variable], ""
        for pause in (*PAUSES, None):
            failure, is_transient = _post(url, document)
            if not failure:
                return
            if not is_transient or pause is None:
                break
            time.sleep(pause)
        raise InputError(f"the webhook in {self.variable} does not accept messages: {failure}")


def _post(url: str, document: dict[str, Any]) -> tuple[str, bool]:
    """Error message without the URL (empty on success), and whether a retry may succeed."""
    import requests  # here: slow to import

    try:
        # A redirected POST would be sent as a GET without the document.
        response = requests.post(url, json=document, timeout=TIMEOUT, allow_redirects=False)
    except (requests.ConnectionError, requests.Timeout) as error:
        return type(error).__name__, True
    except (requests.RequestException, ValueError) as error:
        return f"{type(error).__name__}, expected a URL", False
    if 200 <= response.status_code < 300:
        return "", False
    return f"HTTP status {response.status_code}", response.status_code in TRANSIENT
