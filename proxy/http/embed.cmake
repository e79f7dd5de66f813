# cmake -D FROM=DIR -D TO=FILE -P embed.cmake: the files of the page as arrays.
set(text "#include \"proxy/http/page_octets.h\"\n\n")
foreach(pair html:postern.html css:postern.css js:postern.js icon:icon.svg)
    string(REPLACE ":" ";" pair ${pair})
    list(GET pair 0 name)
    list(GET pair 1 file)
    file(READ "${FROM}/${file}" octets HEX)
    string(LENGTH "${octets}" digits)
    math(EXPR count "${digits} / 2")
    string(REGEX REPLACE "(..)" "0x\\1," octets "${octets}")
    string(REGEX REPLACE "(................................................................................)" "\\1\n" octets "${octets}")
    string(APPEND text
           "const unsigned char page_${name}[] = {\n${octets}\n};\n"
           "const size_t page_${name}_count = ${count};\n\n")
endforeach()
file(WRITE "${TO}" "${text}")
