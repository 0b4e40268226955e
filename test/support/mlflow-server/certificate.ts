/**
 * A self-signed certificate for localhost and 127.0.0.1, and its key: for tests of TLS, worth
 * nothing anywhere else. Made with
 * `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500
 * -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1`.
 */

export const TEST_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUKbQ6ISNcVm1zZXY1aNw+YT2HzS8wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDExNTA1OFoYDzIxMjYxMDMx
MTE1MDU4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAR69k57SEECO05M4uWyOowq9fBCbIs/ff5VK5tu93qR56R19OSfzd+R
Zw9r1eq6NFW/6UdVBSE04gbjgXNVGrN+o28wbTAdBgNVHQ4EFgQUKGbxpbVz5H6j
CYTXvCku1yQGw+UwHwYDVR0jBBgwFoAUKGbxpbVz5H6jCYTXvCku1yQGw+UwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhAKzwthUfwdEIGRycR4wXqdZxlEYnLx0x6+fybQTQUaBVAiEA
/eMswLAc+gb2/4pfWEiri5+PvhuJ5SiYNhXWRxuosX0=
-----END CERTIFICATE-----
`;

export const TEST_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgiuFk0mJO7koJXfON
6y4sjJYLEa5ezKWdGqfTY7e2ovShRANCAAR69k57SEECO05M4uWyOowq9fBCbIs/
ff5VK5tu93qR56R19OSfzd+RZw9r1eq6NFW/6UdVBSE04gbjgXNVGrN+
-----END PRIVATE KEY-----
`;
