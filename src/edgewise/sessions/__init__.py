"""Conversations: kept, moved about, held to their promises, cut to the window of whoever answers."""

from __future__ import annotations

from edgewise.sessions.records import Message, Session
from edgewise.sessions.screen import SessionScreen
from edgewise.sessions.store import FILE, SessionStore

__all__ = ["FILE", "Message", "Session", "SessionScreen", "SessionStore"]
