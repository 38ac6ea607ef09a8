"""A speech endpoint on this machine that behaves as it is told."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

import numpy as np
import soundfile


def wav(seconds=1.0, rate=24000):
    """A tone as the bytes of a WAV file."""
    wave = 0.3 * np.sin(2 * np.pi * 150 * np.arange(int(seconds * rate)) / rate)
    file = BytesIO()
    soundfile.write(file, wave, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


@contextmanager
def serve(*answers):
    """Give the answers in turn, the last one for ever: (status, headers, body), or None to cut the connection.

    Yields:
        the base URL, and the requests as they come: (path, authorization, JSON body).
    """
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            requests.append((self.path, self.headers.get("authorization"), body))
            answer = answers[min(len(requests), len(answers)) - 1]
            if answer is None:
                self.send_response(200)
                self.send_header("content-type", "audio/wav")
                self.send_header("content-length", "100000")
                self.end_headers()
                self.wfile.write(b"RIFF")
                self.close_connection = True
                return
            status, headers, content = answer
            self.send_response(status)
            for name, value in {"content-length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
