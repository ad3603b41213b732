"""Whom Google writes to about the project: suspension, security, outages, bills, law.

Makes one `essentialcontacts.Contact` per person or, better, per list. Without one Google writes to
whoever happens to own the project. Needs `roles/essentialcontacts.admin`. A contact must belong to a
domain that the organisation allows. The address cannot be changed in place. Free of charge.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = ["Category", "Contact", "EssentialContacts", "EssentialContactsArgs"]

Category: TypeAlias = Literal[
    "ALL", "BILLING", "LEGAL", "PRODUCT_UPDATES", "SECURITY", "SUSPENSION", "TECHNICAL"
]
_NEEDED: tuple[Category, ...] = ("SECURITY", "SUSPENSION", "TECHNICAL")


@dataclass(frozen=True, kw_only=True, slots=True)
class Contact:
    """One address and what it is written about."""

    email: str
    categories: frozenset[Category]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[^@\s]+@[a-z0-9.-]+\.[a-z]{2,}", self.email):
            raise RefusedError(f"email must be a mail address, got {self.email!r}; correct it")
        wrong = sorted(set(self.categories) - set(get_args(Category)))
        if wrong or not self.categories:
            raise RefusedError(
                f"categories must be among {', '.join(get_args(Category))}, "
                f"got {', '.join(wrong) or 'none'}; correct them"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class EssentialContactsArgs:
    """The contacts of one project."""

    project_id: str
    # The key names the contact. Together they must hear of security, suspension and technical matters.
    contacts: Mapping[str, Contact]

    def __post_init__(self) -> None:
        heard = {category for contact in self.contacts.values() for category in contact.categories}
        missing = [] if "ALL" in heard else [each for each in _NEEDED if each not in heard]
        if missing:
            raise RefusedError(
                f"contacts must hear of {', '.join(_NEEDED)} between them, nobody hears of "
                f"{', '.join(missing)}; add the category to a contact"
            )


class EssentialContacts(pulumi.ComponentResource):
    """The contacts of one project."""

    # Key -> resource name.
    names: Mapping[str, pulumi.Output[str]]

    def __init__(
        self, name: str, args: EssentialContactsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("aiprod:foundation:EssentialContacts", name, None, opts)
        self.names = {
            key: gcp.essentialcontacts.Contact(
                f"{name}-{key}",
                parent=f"projects/{args.project_id}",
                email=contact.email,
                language_tag="en",
                notification_category_subscriptions=sorted(contact.categories),
                opts=pulumi.ResourceOptions(parent=self),
            ).name
            for key, contact in args.contacts.items()
        }
        self.register_outputs({"names": self.names})
