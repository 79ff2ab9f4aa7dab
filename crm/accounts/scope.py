"""The one way in which queries are narrowed to what a viewer may see."""

from typing import Any, TypeVar

from sqlalchemy.sql import Select

from crm.accounts.rules import Viewer

S = TypeVar("S", bound=Select[*tuple[Any, ...]])


def only_visible(statement: S, viewer: Viewer, column: Any) -> S:
    """Return the statement restricted to the viewer's companies; ``column`` is the row's ``exporter_id``."""
    if viewer.exporter_ids is None:
        return statement
    return statement.where(column.in_(viewer.exporter_ids))
