"""The embedded edge model: llama.cpp (xllamacpp) in a child process on loopback.

`EmbeddedRuntime.url()` is the base URL of an ordinary OpenAI-compatible server; who asks it needs nothing
else from here. A process of its own, because native code can crash, and because its server object has no
close. What that server does, as tried with xllamacpp 2026.10.11549 and held by `test_embedded_server.py`:

- A prompt longer than the context: 400, streaming or not, at once, with
  `{"error": {"type": "exceed_context_size_error", "n_prompt_tokens": …, "n_ctx": …, …}}`.
- An answer that reaches the context's end, or a quarter of it where the request set no limit: 200 with
  `finish_reason: "length"`.
- Usage stands in every plain answer. In a stream it comes only with `stream_options.include_usage`, on a
  last chunk with empty `choices`; a stream's first chunk has `content: null`; the end is `[DONE]`.
- `model` in a request is not looked at, not even whether it is there; answers carry the alias.
- `logprobs` and `top_logprobs` work; `n` works but uses one slot for each choice; the usage of `n` choices
  counts only one of them.
- `response_format` of both kinds is enforced by a grammar (`json_schema`, `json_object`).
- `tools` are shown to the model only if its chat template has a place for them, and without a word where it
  has none; `tool_choice: "required"` is not enforced. SmolLM2's template has none: do not send it tools.
- An image part: 500 with "image input is not supported". Wrong types: 400. Unknown fields: ignored.
- All slots busy: requests wait in line (thirty on two slots: all answered, in order); `/health` answers
  meanwhile. There is no limit to the line and no 503.
- A client of a stream that hangs up stops the answer with the next token; while the prompt is still being
  read, after the batch under way (128 tokens, about a second). A plain request's hang-up is seen only once
  the whole server has been quiet for a second: while another slot streams, that answer runs to its end.
- Idle connections are closed after 5 s, and each one after 100 requests: a pool must take that into account.
"""

from edgewise.upstreams.embedded.supervisor import Backoff, EmbeddedRuntime

__all__ = ["Backoff", "EmbeddedRuntime"]
