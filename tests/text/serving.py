"""A server of one file, which can break off."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 40


class Server(ThreadingHTTPServer):
    """Serves one file, wherever one asks for it, and remembers the ranges."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.etag, self.breaks_at, self.ranges = CONTENT, '"one"', None, []
        self.address = f"http://127.0.0.1:{self.server_port}/corpus.bin"


class Handler(BaseHTTPRequestHandler):
    """Answers with the server's content, from where it is asked to; breaks off where the server says."""

    def do_GET(self):
        server = self.server
        if self.path == "/missing":
            return self.send_error(404)
        if self.path.startswith("/elsewhere:"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/elsewhere:"))
            return self.end_headers()
        asked, start = self.headers["Range"], 0
        server.ranges.append(asked)
        if asked and self.headers["If-Range"] == server.etag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        else:
            self.send_response(200)
        if server.etag:
            self.send_header("ETag", server.etag)
        self.send_header("Content-Length", str(len(server.content) - start))
        self.end_headers()
        self.wfile.write(server.content[start : server.breaks_at])

    def log_message(self, *_):
        pass
