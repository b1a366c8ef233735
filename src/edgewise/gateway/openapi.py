"""What `GET /openapi.json` says: every path, what it takes, and how it can answer."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec

Json = dict[str, Any]
ERROR: Json = {"$ref": "#/components/schemas/Error"}
WENT_WRONG = {
    "400": "The request cannot be answered as it stands.",
    "401": "A key is needed, or it is wrong.",
    "403": "The key may not do this, or the host is not this machine's.",
    "404": "There is no such model, decision or path.",
    "408": "The body took too long.",
    "409": "The candidate says that it conflicts.",
    "413": "The body is too long.",
    "415": "The candidate does not take this kind of content.",
    "422": "The candidate cannot work with this.",
    "429": "The key's limits are reached, or too many wait; see retry-after.",
    "431": "The headers are too long.",
    "500": "Edgewise made a mistake.",
    "502": "The candidate failed.",
    "503": "Edgewise ends, or something that it needs is missing; see retry-after.",
    "504": "The candidate sent nothing in time.",
}


@cache
def description() -> bytes:
    """The description as JSON, in OpenAPI 3.1."""
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Edgewise",
                "version": version("edgewise"),
                "description": "Decides, prompt by prompt, which model answers. See docs/http.md.",
            },
            "paths": _paths(),
            "components": {
                "schemas": _schemas(),
                "securitySchemes": {
                    "key": {"type": "http", "scheme": "bearer"},
                    "header": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                },
            },
            "security": [{}, {"key": []}, {"header": []}],
        }
    )


# The schema of a stream is that of each of its events.
EVENT: Json = {"type": "object", "required": ["data"], "properties": {"data": {"type": "string"}}}


def _paths() -> Json:
    text: Json = {"type": "string"}
    limit = {"in": "query", "name": "limit", "schema": {"type": "integer", "minimum": 1, "maximum": 1000}}
    before = {"in": "query", "name": "before", "schema": text}
    one = {"in": "path", "name": "id", "required": True, "schema": {"type": "string", "minLength": 1}}
    record = {"in": "query", "name": "record", "schema": {"enum": ["true", "false"]}}
    listed: Json = {"type": "object", "required": ["object", "data"]}
    thing: Json = {"type": "object", "required": ["id"]}
    chat = _taking("ChatBody", {"type": "object", "required": ["choices"]})
    chat["responses"]["200"]["content"]["text/event-stream"] = {"schema": EVENT}
    return {
        "/v1/chat/completions": {"post": chat},
        "/v1/route": {"post": {**_taking("ChatBody", thing), "parameters": [record]}},
        "/v1/embeddings": {"post": _taking("EmbeddingsBody", listed)},
        "/v1/classify": {"post": _taking("ClassifyBody", listed)},
        "/v1/feedback": {"post": _taking("FeedbackBody", thing, status="201")},
        "/v1/models": {"get": _giving(listed)},
        "/v1/models/{id}": {"get": _giving(thing, one)},
        "/v1/decisions": {"get": _giving(listed, limit, before)},
        "/v1/decisions/{id}": {"get": _giving(thing, one)},
        "/healthz": {"get": _giving({"type": "object", "required": ["status"]})},
        "/readyz": {"get": _health()},
        "/metrics": {"get": _metrics()},
        "/openapi.json": {"get": _giving({"type": "object", "required": ["openapi"]})},
    }


def _giving(schema: Json, *parameters: Json, status: str = "200") -> Json:
    """A question without a body."""
    wrong = {
        code: {"description": said, "content": {"application/json": {"schema": ERROR}}}
        for code, said in WENT_WRONG.items()
    }
    right = {"description": "The answer.", "content": {"application/json": {"schema": schema}}}
    return {"parameters": list(parameters), "responses": {status: right, **wrong}}


def _taking(body: str, schema: Json, *, status: str = "200") -> Json:
    """One with a JSON body."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{body}"}}}
    return {**_giving(schema, status=status), "requestBody": {"required": True, "content": content}}


def _metrics() -> Json:
    """A page of text, not of JSON."""
    found = _giving({})
    found["responses"]["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    return found


def _health() -> Json:
    found = _giving({"type": "object", "required": ["status"]})
    found["responses"]["503"]["content"]["application/json"]["schema"] = {
        "type": "object",
        "required": ["status", "problem"],
    }
    return found


def _schemas() -> Json:
    text, maybe, number = {"type": "string"}, {"type": ["string", "null"]}, {"type": "number"}
    message = {
        "type": "object",
        "required": ["role", "content"],
        "properties": {"role": text, "content": {"type": "string", "minLength": 1}},
    }
    return {
        "Error": {
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": {
                    "type": "object",
                    "required": ["message", "type", "param", "code"],
                    "properties": {"message": text, "type": text, "param": maybe, "code": maybe},
                }
            },
        },
        "ChatBody": {
            "type": "object",
            "required": ["messages"],
            "properties": {
                "model": text,
                "messages": {"type": "array", "minItems": 1, "items": message},
                "stream": {"type": ["boolean", "null"]},
                "max_tokens": {"type": ["integer", "null"], "minimum": 0, "maximum": 2**31},
                "edgewise": {"type": "object", "description": "See docs/http.md."},
            },
        },
        "EmbeddingsBody": {
            "type": "object",
            "required": ["input"],
            "properties": {
                "input": {"oneOf": [text, {"type": "array", "items": text}]},
                "model": text,
                "encoding_format": {"enum": ["float", "base64"]},
            },
        },
        "ClassifyBody": {
            "type": "object",
            "required": ["input"],
            "additionalProperties": False,
            "properties": {
                "input": {"oneOf": [text, {"type": "array", "items": text}]},
                "model": text,
                "task": maybe,
                "top_k": {"type": "integer", "minimum": 0, "maximum": 2**31},
                "edgewise": {"type": "object", "description": "See docs/http.md."},
            },
        },
        "FeedbackBody": {
            "type": "object",
            "required": ["id"],
            "additionalProperties": False,
            "properties": {
                "id": text,
                "quality": {**number, "minimum": 0, "maximum": 1},
                "rating": {**number, "minimum": 1, "maximum": 5},
                "thumbs": {"enum": ["up", "down"]},
                "edit_distance": {**number, "minimum": 0, "maximum": 1},
                "correction": {"type": "boolean"},
                "abandoned_s": {**number, "minimum": 0},
                "success": {"oneOf": [{"type": "boolean"}, {**number, "minimum": 0, "maximum": 1}]},
                "comment": text,
                "source": text,
            },
        },
    }
