"""What the Python tests stand on: a realm, servers and clients written from the RFCs, origins, a tap."""
