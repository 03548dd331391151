"""The customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from playhead.office._rows import matching, remove, within
from playhead.office._tables import Cell, JsonValue, Table
from playhead.office._tools import Effect

CUSTOMER_COLUMNS = (
    "customer_id",
    "assigned_to_email",
    "customer_name",
    "customer_email",
    "customer_phone",
    "last_contact_date",
    "product_interest",
    "status",
    "follow_up_by",
    "notes",
)
STATUSES = ("Qualified", "Won", "Lost", "Lead", "Proposal")
PRODUCTS = ("Software", "Hardware", "Services", "Consulting", "Training")
_SHOWN = 5

_BAD_STATUS = "Status not valid. Please choose from: 'Qualified', 'Won', 'Lost', 'Lead', 'Proposal'"
_BAD_PRODUCT = (
    "Product interest not valid. Please choose from: "
    "'Software', 'Hardware', 'Services', 'Consulting', 'Training'"
)
_BAD_FIELD = (
    "Field not valid. Please choose from: 'customer_name', 'assigned_to_email', 'customer_email', "
    "'customer_phone', 'last_contact_date', 'product_interest', 'status', 'notes', 'follow_up_by'"
)


class CustomerRelationshipManager:
    """The tools on the table of customers."""

    name: ClassVar[str] = "customer_relationship_manager"
    effects: ClassVar[Mapping[str, Effect]] = {
        "search_customers": "read",
        "update_customer": "idempotent",
        "add_customer": "write",
        "delete_customer": "irreversible",
    }

    def __init__(self, customers: Table) -> None:
        self.customers = customers

    def search_customers(
        self,
        *,
        customer_name: str | None = None,
        customer_email: str | None = None,
        product_interest: str | None = None,
        status: str | None = None,
        assigned_to_email: str | None = None,
        last_contact_date_min: str | None = None,
        last_contact_date_max: str | None = None,
        follow_up_by_min: str | None = None,
        follow_up_by_max: str | None = None,
    ) -> list[JsonValue] | str:
        """Search the customers; returns the first five that match all given parts, case ignored.

        Names, addresses, product and status are regular expressions that may match anywhere in
        their field. Give at least one part.

        Args:
            customer_name: Part of the customer's name.
            customer_email: Part of the customer's address.
            product_interest: Part of the product: Software, Hardware, Services, Consulting,
                Training.
            status: Part of the status: Qualified, Won, Lost, Lead, Proposal.
            assigned_to_email: Part of the address of the colleague in charge.
            last_contact_date_min: Last contact on or after this day: YYYY-MM-DD.
            last_contact_date_max: Last contact on or before this day: YYYY-MM-DD.
            follow_up_by_min: Next contact due on or after this day: YYYY-MM-DD.
            follow_up_by_max: Next contact due on or before this day: YYYY-MM-DD.
        """
        patterns = {
            "customer_name": customer_name,
            "customer_email": customer_email,
            "product_interest": product_interest,
            "status": status,
            "assigned_to_email": assigned_to_email,
        }
        bounds = {
            "last_contact_date": (last_contact_date_min, last_contact_date_max),
            "follow_up_by": (follow_up_by_min, follow_up_by_max),
        }
        if not any(patterns.values()) and not any(map(any, bounds.values())):
            return "No search parameters provided. Please provide at least one parameter."
        found = list(range(len(self.customers)))
        for column, pattern in patterns.items():
            if pattern:
                found = matching(self.customers, found, column=column, pattern=pattern)
        for column, (low, high) in bounds.items():
            found = within(self.customers, found, column=column, low=low, high=high)
        return self.customers.records(found[:_SHOWN])

    def update_customer(
        self,
        *,
        customer_id: str | None = None,
        field: str | None = None,
        new_value: str | None = None,
    ) -> str:
        """Change one field of a customer.

        Args:
            customer_id: Id of the customer: 8 digits, as found by a search.
            field: The field to change, one of customer_name, assigned_to_email, customer_email,
                customer_phone, last_contact_date, product_interest, status, notes, follow_up_by.
            new_value: What the field holds from now on. A status is Qualified, Won, Lost, Lead or
                Proposal; a product Software, Hardware, Services, Consulting or Training; a day
                YYYY-MM-DD.
        """
        if not customer_id or not field or not new_value:
            return "Customer ID, field, or new value not provided."
        if field == "status" and new_value not in STATUSES:
            return _BAD_STATUS
        if field == "product_interest" and new_value not in PRODUCTS:
            return _BAD_PRODUCT
        found = self.customers.find("customer_id", customer_id)
        if not found:
            return "Customer not found."
        if field not in self.customers.columns:
            return _BAD_FIELD
        is_address = field in ("customer_email", "assigned_to_email")
        value = new_value.lower() if is_address else new_value
        self.customers.set(found, column=field, value=value)
        return "Customer updated successfully."

    def add_customer(
        self,
        *,
        customer_name: str | None = None,
        assigned_to_email: str | None = None,
        status: str | None = None,
        customer_email: str | None = None,
        customer_phone: str | None = None,
        last_contact_date: str | None = None,
        product_interest: str | None = None,
        notes: str = "",
        follow_up_by: str | None = None,
    ) -> str:
        """Add a customer; returns the new id. Name, colleague in charge and status are required.

        Args:
            customer_name: Name of the customer.
            assigned_to_email: Address of the colleague in charge.
            status: The status, one of Qualified, Won, Lost, Lead, Proposal.
            customer_email: Address of the customer.
            customer_phone: Phone number of the customer.
            last_contact_date: Day of the last contact: YYYY-MM-DD.
            product_interest: The product, one of Software, Hardware, Services, Consulting,
                Training.
            notes: Free text.
            follow_up_by: Day by which the next contact is due: YYYY-MM-DD.
        """
        if not customer_name or not assigned_to_email or not status:
            return "Please provide all required fields: customer_name, assigned_to_email, status."
        customer_id = f"{self.customers.next_number('customer_id'):08d}"
        values: dict[str, Cell] = {
            "customer_id": customer_id,
            "assigned_to_email": assigned_to_email.lower(),
            "customer_name": customer_name,
            "customer_email": customer_email.lower() if customer_email else customer_email,
            "customer_phone": customer_phone,
            "last_contact_date": last_contact_date,
            "product_interest": product_interest,
            "status": status,
            "follow_up_by": follow_up_by,
            "notes": notes,
        }
        self.customers.append(values, label=len(self.customers))
        self.customers.renumber()
        return customer_id

    def delete_customer(self, *, customer_id: str | None = None) -> str:
        """Delete a customer for good.

        Args:
            customer_id: Id of the customer: 8 digits, as found by a search.
        """
        return remove(self.customers, key="customer_id", kind="Customer", row_id=customer_id)
