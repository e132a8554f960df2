"""The settings place: look, addresses, peers, HL7 sources, destinations, people, about."""
