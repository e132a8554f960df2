"""The reading place: banner, order strip, series, cells with current and prior, tools, report."""
