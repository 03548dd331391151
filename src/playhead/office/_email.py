"""The mailbox."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import ClassVar

from playhead.office._dates import read_date
from playhead.office._rows import look_up, remove
from playhead.office._tables import Cell, JsonValue, Record, Table
from playhead.office._tools import Effect

MAIL_COLUMNS = (
    "email_id",
    "inbox/outbox",
    "sender/recipient",
    "subject",
    "sent_datetime",
    "body",
)
_SHOWN = 5


class Email:
    """The tools on the table of mails.

    Args:
        mails: The table.
        now: The moment at which every new mail is sent.
    """

    name: ClassVar[str] = "email"
    effects: ClassVar[Mapping[str, Effect]] = {
        "send_email": "irreversible",
        "delete_email": "irreversible",
        "forward_email": "irreversible",
        "reply_email": "irreversible",
        "get_email_information_by_id": "read",
        "search_emails": "read",
    }

    def __init__(self, mails: Table, *, now: datetime) -> None:
        self.mails = mails
        self._now = now

    def get_email_information_by_id(
        self, *, email_id: str | None = None, field: str | None = None
    ) -> Record | str:
        """Read one field of one email.

        Args:
            email_id: Id of the email, as found by a search.
            field: The field to read, one of email_id, inbox/outbox, sender/recipient, subject,
                sent_datetime, body.
        """
        return look_up(self.mails, key="email_id", kind="Email", row_id=email_id, field=field)

    def search_emails(
        self, *, query: str = "", date_min: str | None = None, date_max: str | None = None
    ) -> list[JsonValue] | str:
        """Search the mailbox by words and by day; returns the five newest emails found.

        Args:
            query: Words that must all occur in the subject, the body or the other side's address,
                case ignored. Leave it empty to match every email.
            date_min: First day, inclusive: YYYY-MM-DD.
            date_max: Last day, inclusive: YYYY-MM-DD.
        """
        found = self._newest_first(self._with_words(query.lower().split()))
        if date_min:
            found = [at for at in found if self._day(at) >= read_date(date_min).date()]
        if date_max:
            found = [at for at in found if self._day(at) <= read_date(date_max).date()]
        return self.mails.records(found[:_SHOWN]) or "No emails found."

    def send_email(
        self, *, recipient: str | None = None, subject: str | None = None, body: str | None = None
    ) -> str:
        """Send an email; it cannot be called back.

        Args:
            recipient: Address of the recipient.
            subject: Subject line.
            body: Text of the email.
        """
        return (
            self._send(recipient=recipient, subject=subject, body=body)
            or "Email sent successfully."
        )

    def delete_email(self, *, email_id: str | None = None) -> str:
        """Delete an email for good.

        Args:
            email_id: Id of the email, as found by a search.
        """
        return remove(self.mails, key="email_id", kind="Email", row_id=email_id)

    def forward_email(self, *, email_id: str | None = None, recipient: str | None = None) -> str:
        """Forward an email, with "FW: " before its subject, to somebody.

        Args:
            email_id: Id of the email, as found by a search.
            recipient: Address of the person who gets it.
        """
        if not email_id or not recipient:
            return "Email ID or recipient not provided."
        found = self.mails.find("email_id", email_id)
        if not found:
            return "Email not found."
        if not _is_address(recipient):
            return "Invalid recipient email address."
        subject = f"FW: {self.mails.cell(found[0], 'subject')}"
        body = self.mails.cell(found[0], "body")
        return (
            self._send(recipient=recipient, subject=subject, body=body)
            or "Email forwarded successfully."
        )

    def reply_email(self, *, email_id: str | None = None, body: str | None = None) -> str:
        """Answer an email under the same subject; the old text is not quoted.

        Args:
            email_id: Id of the email, as found by a search.
            body: Text of the answer.
        """
        if not email_id or not body:
            return "Email ID or body not provided."
        found = self.mails.find("email_id", email_id)
        if not found:
            return "Email not found."
        recipient = self.mails.cell(found[0], "sender/recipient")
        subject = self.mails.cell(found[0], "subject")
        return (
            self._send(recipient=recipient, subject=subject, body=body)
            or "Email replied successfully."
        )

    def _send(self, *, recipient: Cell, subject: Cell, body: Cell) -> str | None:
        """Add a mail to the outbox, or tell why not."""
        if not recipient or not subject or not body:
            return "Recipient, subject, or body not provided."
        if not _is_address(recipient):
            return "Invalid recipient email address."
        values: dict[str, Cell] = {
            "email_id": str(self.mails.next_number("email_id")),
            "inbox/outbox": "outbox",
            "sender/recipient": recipient.lower(),  # type: ignore[union-attr]
            "subject": subject,
            "sent_datetime": self._now,
            "body": body,
        }
        # Labels are not renumbered after a deletion, so this label may be taken: the mail that
        # carries it is then overwritten, as in the recorded runs.
        self.mails.put(values, label=len(self.mails))
        return None

    def _with_words(self, words: list[str]) -> list[int]:
        kept = []
        for at in range(len(self.mails)):
            text = " ".join(
                str(self.mails.cell(at, name)) for name in ("subject", "body", "sender/recipient")
            ).lower()
            if all(word in text for word in words):
                kept.append(at)
        return kept

    def _newest_first(self, positions: list[int]) -> list[int]:
        # Mails from the file carry text, new ones a moment of time: a mixed list cannot be
        # ordered and raises TypeError, as in the recorded runs.
        return sorted(
            positions,
            key=lambda at: self.mails.cell(at, "sent_datetime"),  # type: ignore[arg-type,return-value]
            reverse=True,
        )

    def _day(self, at: int) -> date:
        sent = self.mails.cell(at, "sent_datetime")
        moment = sent if isinstance(sent, datetime) else read_date(sent)
        return moment.date()


def _is_address(recipient: Cell) -> bool:
    return "@" in recipient and "." in recipient  # type: ignore[operator]
