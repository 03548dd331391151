"""Families of tasks on mails."""

from __future__ import annotations

from datetime import date, timedelta

from benchmarks.invented.drawing import (
    SHOWN,
    Asked,
    Drawing,
    Row,
    first_name,
    mail_to,
    received,
    write,
)
from benchmarks.invented.registry import family
from playhead.office import OfficeCall

_GOT_IT = ("Got it, thank you!", "Can we discuss this on Friday?")


@family()
def reply_last(drawn: Drawing) -> Asked | None:
    """Answer somebody's last mail."""
    name = drawn.person()
    body = drawn.pick(["Thanks for the update - I will get back to you tomorrow.", *_GOT_IT])
    mails = received(drawn.search("email.search_emails", query=name))
    if not mails:
        return None
    text = drawn.pick(
        [
            f"Reply to {name}'s last email with '{body}'",
            f"{name} needs an answer to their latest email. Can you reply with '{body}'?",
        ]
    )
    return text, [_reply(max(mails, key=_sent), body)]


@family()
def reply_about(drawn: Drawing) -> Asked | None:
    """Answer somebody's last mail with a subject."""
    mail = drawn.pick(drawn.tables.inbox)
    subject, name = mail["subject"], first_name(mail["sender/recipient"])
    body = drawn.pick(["Thanks for the update.", *_GOT_IT])
    found = received(drawn.search("email.search_emails", query=f"{name} {subject}"))
    mails = [each for each in found if each["subject"] == subject]
    if not mails:
        return None
    text = drawn.pick(
        [
            f"Reply to {name}'s last email about '{subject}' with '{body}'",
            f"Send '{body}' as a reply to the latest email from {name} about '{subject}'",
        ]
    )
    return text, [_reply(max(mails, key=_sent), body)]


@family()
def delete_emails_days(drawn: Drawing) -> Asked | None:
    """Delete what came from somebody in the last days."""
    name, days = drawn.person(), drawn.pick([2, 3, 4, 5, 6, 7])
    since = drawn.today - timedelta(days=days)
    mails = drawn.search("email.search_emails", query=name, date_min=f"{since}")
    if len(mails) >= SHOWN:
        return None
    text = drawn.pick(
        [
            f"Delete all the emails from {name} from the last {days} days",
            f"Can you delete every email that {name} sent me in the past {days} days?",
        ]
    )
    return text, [_deletion(mail) for mail in received(mails)]


@family()
def send_simple(drawn: Drawing) -> Asked | None:
    """Write a mail of which all is said."""
    name, subject = drawn.person(), drawn.pick(["Lunch", "Roadmap", "Offsite", "Budget"])
    body = drawn.pick(
        ["See you at noon.", "Please have a look at the roadmap.", "Are you coming along?"]
    )
    text = drawn.pick(
        [
            f"Send an email to {name} with the subject '{subject}' and the body '{body}'",
            f"Email {name} saying '{body}' titled '{subject}'",
        ]
    )
    return text, [mail_to(drawn.address(name), subject, body)]


@family()
def forward_from_day(drawn: Drawing) -> Asked | None:
    """Forward the mail that somebody sent on a day."""
    late = [mail for mail in drawn.tables.inbox if mail["sent_datetime"] > "2023-11-01"]
    mail = drawn.pick(late)
    sender, name = first_name(mail["sender/recipient"]), drawn.person()
    day = date.fromisoformat(mail["sent_datetime"][:10])
    mails = received(
        drawn.search("email.search_emails", query=sender, date_min=f"{day}", date_max=f"{day}")
    )
    address = drawn.address(name)
    if len(mails) != 1 or name == sender:
        return None
    text = drawn.pick(
        [
            f"Forward the email from {sender} on {drawn.said(day)} to {name}",
            f"{name} should see the email {sender} sent me on {drawn.said(day)}. "
            "Please forward it.",
        ]
    )
    return text, [_forward(mails[0], address)]


@family()
def forward_all_about(drawn: Drawing) -> Asked | None:
    """Forward all mails with a subject."""
    subject, name = drawn.pick(drawn.tables.mails)["subject"], drawn.person()
    mails = drawn.search("email.search_emails", query=subject)
    address = drawn.address(name)
    if not 0 < len(mails) < SHOWN:
        return None
    text = drawn.pick(
        [
            f"Forward all emails about '{subject}' to {name}",
            f"Can you forward every email about '{subject}' to {name}?",
        ]
    )
    return text, [_forward(mail, address) for mail in mails]


@family(later=True)
def two_mails(drawn: Drawing) -> Asked | None:
    """Write the same mail to two persons."""
    names = drawn.two(drawn.tables.people)
    subject = drawn.pick(["Lunch", "Roadmap", "Offsite"])
    body = drawn.pick(["See you at noon", "Please read it"])
    text = (
        f"Send {names[0]} and {names[1]} an email with the subject '{subject}' "
        f"and the text '{body}'"
    )
    return text, [mail_to(drawn.address(name), subject, body) for name in names]


@family(later=True)
def delete_oldest(drawn: Drawing) -> Asked | None:
    """Delete the oldest of the mails with a subject."""
    subject = drawn.pick(drawn.tables.mails)["subject"]
    mails = drawn.search("email.search_emails", query=subject)
    if not 1 < len(mails) < SHOWN:
        return None
    return f"Delete the oldest email about '{subject}'", [_deletion(min(mails, key=_sent))]


def _sent(mail: Row) -> str:
    return mail["sent_datetime"]


def _reply(mail: Row, body: str) -> OfficeCall:
    return write("email.reply_email", email_id=mail["email_id"], body=body)


def _forward(mail: Row, address: str) -> OfficeCall:
    return write("email.forward_email", email_id=mail["email_id"], recipient=address)


def _deletion(mail: Row) -> OfficeCall:
    return write("email.delete_email", email_id=mail["email_id"])
