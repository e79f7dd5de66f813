"""nginx's mail proxy with one worker, asking itself about logins. The buffers
hold a whole message of 4 KiB: with the 4k that it has by default it writes one
in two parts, and the second waits 40 ms for a delayed ACK."""

from peer_program import PeerProgram
from ports import free_port

from .endpoint import Endpoint
from .site import PASSWORD

CONFIG = """\
load_module {root}/usr/lib/nginx/modules/ngx_mail_module.so;
user nobody nogroup;
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/log warn;
events {{ worker_connections {connections}; multi_accept on; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map $http_auth_pass $status_of_login {{
        {password} OK;
        default "Invalid login or password";
    }}
    server {{
        listen 127.0.0.1:{auth_port} backlog=8192;
        location /auth {{
            add_header Auth-Status $status_of_login;
            add_header Auth-Server 127.0.0.1;
            add_header Auth-Port {sink_port};
            return 204;
        }}
    }}
}}
mail {{
    server_name mail.test;
    auth_http 127.0.0.1:{auth_port}/auth;
    xclient off;
    timeout 600s;
    proxy_timeout 600s;
    smtp_auth plain login;
    smtp_capabilities PIPELINING "SIZE 1073741824" 8BITMIME
                      ENHANCEDSTATUSCODES;
    ssl_certificate {chain};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    smtp_client_buffer 32k;
    proxy_buffer 32k;
    server {{ listen 127.0.0.1:{port} ssl backlog=8192; protocol smtp; }}
}}
"""


class Nginx(Endpoint, PeerProgram):
    TITLE = "nginx mail"
    PACKAGES = [["nginx", "libnginx-mod-mail"]]
    CONNECTIONS_A_SESSION = 2
    PACKAGE = "nginx"
    PRELOADED = []
    LOGS = ["stderr", "log"]

    def __init__(self, site, _sink):
        super().__init__(site.make("nginx"))
        self.site = site

    def start(self):
        config = self.folder / "nginx.conf"
        config.write_text(CONFIG.format(
            root=self.root, folder=self.folder, port=self.port,
            auth_port=free_port(), sink_port=self.site.sink_port,
            connections=self.site.descriptors - 100, password=PASSWORD,
            chain=self.site.certificate.chain,
            key=self.site.certificate.key), encoding="utf-8")
        self.run([self.program(), "-p", self.folder, "-c", config,
                  "-e", self.folder / "log"], self.environment())

    def program(self):
        return self.root / "usr/sbin/nginx"

    def version(self):
        said = self.asked(self.program(), "-v")
        return said.partition("nginx/")[2] + ", " + self.tls()
