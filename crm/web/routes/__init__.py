"""One file an area of the site; ``crm.web.app`` puts them together."""
