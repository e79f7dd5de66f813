# The Debian package: cpack, in a release build, makes
# postern_VERSION_ARCHITECTURE.deb out of what `cmake --install` installs.
#
#   cmake --build build/release && (cd build/release && cpack)
#
# stage.cmake puts things where Debian has them. What the program needs is found
# by dpkg-shlibdeps, BoringSSL too: android-libboringssl says in its shlibs file
# which package brings libssl.so.0 and libcrypto.so.0, and the run path leads
# there. tests/checks/package holds the result against lintian.
set(POSTERN_MAINTAINER "Postern developers <postern@postern.example>"
    CACHE STRING "who is named as the maintainer of the package")

set(CPACK_GENERATOR DEB)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_PACKAGE_NAME postern)
set(CPACK_PACKAGE_CONTACT "${POSTERN_MAINTAINER}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE
    GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_SOURCE_DIR}/debian/stage.cmake)
set(CPACK_POSTERN_CONTRIB ${CMAKE_CURRENT_SOURCE_DIR})

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION mail)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# The user and the folders are made by systemd's tools, as debhelper does it;
# the certificate that the configuration names at first is ssl-cert's.
string(CONCAT CPACK_DEBIAN_PACKAGE_DEPENDS
       "ssl-cert, "
       "systemd | systemd-standalone-sysusers | systemd-sysusers, "
       "systemd | systemd-standalone-tmpfiles | systemd-tmpfiles")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, logrotate")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
    "default-mta | mail-transport-agent, fail2ban")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_CURRENT_SOURCE_DIR}/debian/conffiles
    ${CMAKE_CURRENT_SOURCE_DIR}/debian/postinst
    ${CMAKE_CURRENT_SOURCE_DIR}/debian/prerm
    ${CMAKE_CURRENT_SOURCE_DIR}/debian/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY
    "SMTP submission proxy and policy filter")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Postern stands in front of the mail server that you have. It takes
submissions on port 587 (STARTTLS) and 465 (TLS), checks the login, holds
every command against rules written in YAML (who may send as whom, how large,
how many, to whom, with which header), passes on what passed, and writes one
line about each decision.
.
It stores no mail: a client's 250 is the mail server's 250. Every refusal can
be explained afterwards, and a changed policy can be tried on a recorded day
before it goes live.")
include(CPack)
