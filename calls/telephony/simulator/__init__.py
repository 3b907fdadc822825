"""The carrier simulator: LiveKit's SIP service with phones and callers that are played here. Imports no Django."""
