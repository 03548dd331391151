"""Families of tasks on customers."""

from __future__ import annotations

from datetime import date, timedelta

from benchmarks.invented.drawing import (
    SHOWN,
    STATES,
    Asked,
    Drawing,
    change_customer,
    write,
)
from benchmarks.invented.registry import family


@family()
def reassign_crm(drawn: Drawing) -> Asked | None:
    """Give somebody's customers of a state and a product to another one."""
    old, new = drawn.two(drawn.tables.sellers)
    state, product = drawn.pick(STATES), drawn.pick(drawn.tables.products)
    old_address, new_address = drawn.address(old), drawn.address(new)
    customers = drawn.search(
        "customer_relationship_manager.search_customers",
        assigned_to_email=old_address,
        status=state,
        product_interest=product,
    )
    if len(customers) >= SHOWN:
        return None
    said, wish = state.lower(), product.lower()
    text = drawn.pick(
        [
            f"Reassign all of {old}'s {said} customers that are interested in {wish} to {new}",
            f"Can you give {new} all of {old}'s {said} customers interested in {wish}?",
        ]
    )
    return text, [change_customer(each, "assigned_to_email", new_address) for each in customers]


@family()
def add_note(drawn: Drawing) -> Asked | None:
    """Write the notes of a customer anew."""
    name = drawn.pick(drawn.tables.customers)["customer_name"]
    note = drawn.pick(["Wants a call", "Sent the contract", "On holiday"])
    customer = drawn.customer(name)
    if customer is None:
        return None
    text = drawn.pick(
        [
            f"Set the notes of {name} to '{note}' in the crm",
            f"Please change {name}'s notes to '{note}'",
        ]
    )
    return text, [change_customer(customer, "notes", note)]


@family()
def add_customer(drawn: Drawing) -> Asked | None:
    """Add a customer."""
    seller, product = drawn.pick(drawn.tables.sellers), drawn.pick(drawn.tables.products)
    first = drawn.pick(["Jane", "Omar", "Lin", "Petra", "Ravi", "Tom"])
    name = f"{first} {drawn.pick(['Miller', 'Stone', 'Xu', 'Berg', 'Nair'])}"
    wish = product.lower()
    text = drawn.pick(
        [
            f"Add {name} as a new lead interested in {wish} and assign them to {seller}",
            f"{seller} has a new lead, {name}, who is interested in {wish}. "
            "Can you add them to the crm?",
        ]
    )
    added = write(
        "customer_relationship_manager.add_customer",
        customer_name=name,
        assigned_to_email=drawn.address(seller),
        status="Lead",
        product_interest=product,
    )
    return text, [added]


@family()
def follow_up_shift(drawn: Drawing) -> Asked | None:
    """Move the day by which a customer is to hear from us."""
    name = drawn.pick(drawn.tables.customers)["customer_name"]
    words, days = drawn.pick([("a week", 7), ("2 weeks", 14), ("3 days", 3), ("5 days", 5)])
    customer = drawn.customer(name)
    if customer is None:
        return None
    day = date.fromisoformat(customer["follow_up_by"]) + timedelta(days=days)
    text = f"Push back the follow up date of {name} by {words}"
    return text, [change_customer(customer, "follow_up_by", f"{day}")]


@family(later=True)
def status_change_if(drawn: Drawing) -> Asked | None:
    """Mark a customer as won if it is in a state."""
    name = drawn.pick(drawn.tables.customers)["customer_name"]
    state = drawn.pick(["Qualified", "Proposal"])
    customer = drawn.customer(name)
    if customer is None:
        return None
    won = [change_customer(customer, "status", "Won")] if customer["status"] == state else []
    return f"If {name} is still {state.lower()}, mark them as won", won


@family(later=True)
def stale_leads(drawn: Drawing) -> Asked | None:
    """Mark somebody's leads as lost that were not contacted for long."""
    seller = drawn.pick(drawn.tables.sellers)
    words, days = drawn.pick(
        [("2 weeks", 14), ("3 weeks", 21), ("a month", 30), ("5 weeks", 35), ("6 weeks", 42)]
    )
    day = drawn.today - timedelta(days=days + 1)
    customers = drawn.search(
        "customer_relationship_manager.search_customers",
        assigned_to_email=drawn.address(seller),
        status="Lead",
        last_contact_date_max=f"{day}",
    )
    if len(customers) >= SHOWN:
        return None
    text = f"Mark all of {seller}'s leads that nobody has contacted in {words} as lost"
    return text, [change_customer(each, "status", "Lost") for each in customers]
