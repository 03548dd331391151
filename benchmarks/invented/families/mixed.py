"""Families of tasks that look at one thing and change another."""

from __future__ import annotations

from datetime import date, timedelta

from benchmarks.invented.drawing import (
    STATES,
    Asked,
    Drawing,
    at,
    first_name,
    mail_to,
    new_task,
    write,
)
from benchmarks.invented.registry import family


@family()
def email_if_busy(drawn: Drawing) -> Asked | None:
    """Write to somebody who has more than so many tasks in progress."""
    worker, most = drawn.pick(drawn.tables.workers), drawn.pick([2, 3, 5, 6])
    address = drawn.address(worker)
    tasks = drawn.search(
        "project_management.search_tasks", assigned_to_email=address, list_name="In Progress"
    )
    text = drawn.pick(
        [
            f"If {worker} has more than {most} tasks in progress, email them "
            "with the subject 'Workload' saying 'Do you need help?'",
            f"Does {worker} have more than {most} tasks in progress? If so, send them "
            "an email titled 'Workload' saying 'Do you need help?'",
        ]
    )
    return text, [mail_to(address, "Workload", "Do you need help?")] if len(tasks) > most else []


@family()
def meeting_then_mail(drawn: Drawing) -> Asked | None:
    """Delete the next meeting with somebody, and write to them."""
    ahead = [each for each in drawn.tables.meetings if each["event_start"] > drawn.now]
    name = first_name(drawn.pick(ahead)["participant_email"])
    address = drawn.address(name)
    meeting = drawn.next_meeting(address)
    if meeting is None:
        return None
    text = drawn.pick(
        [
            f"Cancel my next meeting with {name} and send them an email titled 'Cancelled' "
            "saying 'Sorry, I have to cancel.'",
            f"I can't make my next meeting with {name}. Please delete it and email them "
            "'Sorry, I have to cancel.' with the subject 'Cancelled'",
        ]
    )
    return text, [
        write("calendar.delete_event", event_id=meeting["event_id"]),
        mail_to(address, "Cancelled", "Sorry, I have to cancel."),
    ]


@family()
def no_meeting_then(drawn: Drawing) -> Asked | None:
    """Write to somebody who was not met in the last days."""
    name, days = drawn.person(), drawn.pick([5, 7, 10, 14])
    since = drawn.today - timedelta(days=days)
    address = drawn.address(name)
    meetings = drawn.search(
        "calendar.search_events", query=address, time_min=f"{since} 00:00:00", time_max=drawn.now
    )
    text = drawn.pick(
        [
            f"If I haven't met with {name} in the last {days} days, email them "
            "with the subject 'Catch up' saying 'Let's catch up'",
            f"Have I met {name} in the past {days} days? If not, send them "
            "an email titled 'Catch up' saying 'Let's catch up'",
        ]
    )
    return text, [] if meetings else [mail_to(address, "Catch up", "Let's catch up")]


@family(later=True)
def meeting_else(drawn: Drawing) -> Asked | None:
    """Write one thing to somebody who is met on a day, another thing otherwise."""
    name, day = drawn.person(), drawn.ahead(1, 5)
    address = drawn.address(name)
    meetings = drawn.search(
        "calendar.search_events",
        query=address,
        time_min=f"{day} 00:00:00",
        time_max=f"{day} 23:59:59",
    )
    text = (
        f"If I have a meeting with {name} on {day:%A}, email them 'See you then' titled "
        "'Our meeting'. Otherwise email them 'Can we meet soon?' with the same title"
    )
    return text, [
        mail_to(address, "Our meeting", "See you then" if meetings else "Can we meet soon?")
    ]


@family(later=True)
def task_from_email(drawn: Drawing) -> Asked | None:
    """Create a task for the sender of a mail."""
    mail = drawn.pick(drawn.tables.inbox)
    subject, sender = mail["subject"], mail["sender/recipient"]
    sent = date.fromisoformat(mail["sent_datetime"][:10])
    mails = drawn.search(
        "email.search_emails", query=subject, date_min=f"{sent}", date_max=f"{sent}"
    )
    if len(mails) != 1 or first_name(sender) not in drawn.tables.workers:
        return None
    due = drawn.ahead(1, 7)
    text = (
        f"Find the email from {drawn.said(sent)} about '{subject}' and make a backlog task "
        f"called 'Follow up' on the design board for the sender, due {due:%A}"
    )
    return text, [new_task(sender, "Follow up", "Design", due)]


@family(later=True)
def count_leads(drawn: Drawing) -> Asked | None:
    """Write to somebody who has fewer than so many customers of a state for a product."""
    seller, least = drawn.pick(drawn.tables.sellers), drawn.pick([1, 2, 3, 4])
    state, product = drawn.pick(STATES), drawn.pick(drawn.tables.products)
    address = drawn.address(seller)
    customers = drawn.search(
        "customer_relationship_manager.search_customers",
        assigned_to_email=address,
        status=state,
        product_interest=product,
    )
    text = (
        f"If {seller} has fewer than {least} {state.lower()} customers for {product.lower()}, "
        "send them an email titled 'Customers' saying 'Please take on more'"
    )
    asked = mail_to(address, "Customers", "Please take on more")
    return text, [asked] if len(customers) < least else []


@family(later=True)
def assignee_meeting(drawn: Drawing) -> Asked | None:
    """Create a meeting with the one who looks after a customer."""
    name = drawn.pick(drawn.tables.customers)["customer_name"]
    day, hour = drawn.ahead(1, 9), drawn.pick([9, 10, 11, 14, 15])
    customer = drawn.customer(name)
    if customer is None:
        return None
    text = (
        f"Schedule an hour with whoever looks after {name} on {drawn.said(day)} "
        f"at {hour}:00, called 'Review'"
    )
    created = write(
        "calendar.create_event",
        event_name="Review",
        participant_email=customer["assigned_to_email"],
        event_start=at(day, hour),
        duration="60",
    )
    return text, [created]
