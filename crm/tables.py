"""Every table of the house in one place, for migrations and for making a new database."""

from sqlmodel import SQLModel

import crm.accounts.models
import crm.campaigns.models
import crm.contacts.models
import crm.core.models
import crm.delivery.models
import crm.drafts.models
import crm.exporters.models
import crm.imports.models
import crm.inbox.models
import crm.pipeline.models
import crm.review.models  # noqa: F401 - imported so that their tables are known

metadata = SQLModel.metadata
