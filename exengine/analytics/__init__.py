"""The dashboard's figures (SPEC §13): numpy and the domain's values only."""
