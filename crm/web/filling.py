"""Where a fact that a letter lacks is filled in: the address of the page, for each place a placeholder names."""

PLACES = (
    "contact", "lead", "exporter", "product", "exhibition", "deal", "quotation", "meeting", "negotiation", "contract",
    "campaign",
)  # fmt: skip


def where_to_fill(
    where: str,
    *,
    contact_id: int | None = None,
    lead_id: int | None = None,
    exporter_id: int | None = None,
    deal_id: int | None = None,
    exhibition_id: int | None = None,
    product_line_id: int | None = None,
    campaign_id: int | None = None,
    staff: bool = False,
) -> str:
    """Return the path of the page on which a placeholder's fact is filled in (``Placeholder.where``).

    Ids are those of the draft; one that is not known leads to the nearest page there is. ``staff``: the pages of a
    person that only staff have. Whether a viewer may open the page is that page's to say. Raises ValueError for a place
    that no placeholder has.
    """
    person = f"/{'contacts' if staff else 'buyers'}/{contact_id}" if contact_id else "/buyers"
    deal = f"/deals/{deal_id}" if deal_id else person
    company = f"/products/{exporter_id}" if exporter_id else "/products"
    line = f"{company}/lines/{product_line_id}" if product_line_id and exporter_id else company
    pages = {
        "contact": f"/contacts/{contact_id}/edit" if staff and contact_id else person,
        "lead": person,
        "exporter": f"{company}/company" if exporter_id else company,
        "product": line,
        "exhibition": f"/exhibitions/{exhibition_id}" if exhibition_id else "/exhibitions",
        "deal": deal,
        "quotation": f"{deal}#quotation" if deal_id else deal,
        "meeting": f"{deal}#meeting" if deal_id else deal,
        "negotiation": f"{deal}#points" if deal_id else deal,
        "contract": f"{deal}#contract" if deal_id else deal,
        "campaign": f"/campaigns/{campaign_id}" if campaign_id else "/campaigns",
    }
    if where not in pages:
        raise ValueError(f"{where!r} is no place at which a fact is filled in")
    return pages[where]
