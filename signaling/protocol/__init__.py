"""The wire protocol: every Socket.IO event, REST body and error that may cross the wire, as one registry of models."""
