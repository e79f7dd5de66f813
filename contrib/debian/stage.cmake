# Run by CPack over what was installed: puts it where Debian has it, and adds
# what only a package has.
set(tree ${CPACK_TEMPORARY_DIRECTORY})
set(doc ${tree}/usr/share/doc/postern)
set(contrib ${CPACK_POSTERN_CONTRIB})

function(run)
    execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(compress)
    run(gzip -9nf ${ARGV})
endfunction()

function(put file place name)
    file(MAKE_DIRECTORY ${place})
    file(COPY_FILE ${contrib}/${file} ${place}/${name})
    file(CHMOD ${place}/${name} PERMISSIONS
         OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endfunction()

# As dh_strip does it.
run(strip --remove-section=.comment --remove-section=.note
    ${tree}/usr/bin/postern)

# The prefix of the moment was written into it.
put(systemd/postern.service ${tree}/usr/lib/systemd/system postern.service)
# Debian 12 looks for units here.
file(MAKE_DIRECTORY ${tree}/lib)
file(RENAME ${tree}/usr/lib/systemd ${tree}/lib/systemd)

put(debian/postern.yaml ${tree}/etc/postern postern.yaml)
put(debian/house.yaml ${tree}/etc/postern/policy.d 10-house.yaml)
put(logrotate/postern ${tree}/etc/logrotate.d postern)
file(REMOVE_RECURSE ${doc}/examples/logrotate ${doc}/examples/postern.yaml)

file(RENAME ${tree}/usr/share/zsh/site-functions
     ${tree}/usr/share/zsh/vendor-completions)

file(GLOB pages ${tree}/usr/share/man/man*/*)
compress(${pages})
file(REMOVE ${doc}/LICENSE)
put(debian/copyright ${doc} copyright)
put(debian/changelog ${doc} changelog)
compress(${doc}/changelog)
put(debian/lintian-overrides ${tree}/usr/share/lintian/overrides postern)

# Whatever the umask of whoever builds.
run(chmod -R u+rwX,go+rX,go-w ${tree})
