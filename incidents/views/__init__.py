"""Pages of an incident's life that need nothing from escalation: raising, the list, and the verbs."""
