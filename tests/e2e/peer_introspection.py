"""An OAuth server's introspection endpoint (RFC 7662) over HTTPS. A test says
what it answers."""

import base64
import http.server
import json
import ssl
import threading
import time
import urllib.parse

CLIENT_ID = "postern"
CLIENT_SECRET = "s3cret: with % and ü"


class Endpoint:
    """`tokens` holds what is known of each token; what is not there is not
    active. `status`, `body` and `headers` answer all questions instead."""

    def __init__(self, certificate):
        self.tokens = {}
        self.status, self.body, self.headers = 200, None, {}
        self.delay = 0
        self.asked, self.connections = [], 0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                endpoint.connections += 1
                super().setup()

            def do_POST(self):
                octets = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.answer(self, octets.decode("ascii"))

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """Connections that a test has cut."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True,
            do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.thread.is_alive():
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}/introspect?realm=mail"

    def knows_client(self, request):
        scheme, _, text = request.headers["Authorization"].partition(" ")
        pair = base64.b64decode(text, validate=True).decode("ascii")
        return scheme == "Basic" and [
            urllib.parse.unquote(word) for word in pair.split(":")
        ] == [CLIENT_ID, CLIENT_SECRET]

    def answer(self, request, form):
        fields = urllib.parse.parse_qs(form, strict_parsing=True)
        [token] = fields["token"]
        self.asked.append((request.path, token))
        time.sleep(self.delay)
        status, body = self.status, self.body
        if not self.knows_client(request):
            status, body = 401, "{}"
        elif body is None:
            known = self.tokens.get(token)
            body = json.dumps({"active": True, **known} if known else
                              {"active": False})
        request.send_response(status)
        for name, value in self.headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body.encode("utf-8"))
