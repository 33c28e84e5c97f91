"""Where a paper exchange gets its prices from: a generated market, recorded files, or an exchange's public feed."""
