"""One file a change of the tables, in a row by `down_revision`."""
