"""Load for relays: many people who send what a camera and a microphone send, each packet when it is due."""
