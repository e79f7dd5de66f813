# cmake -D FROM=DIR -D TO=FILE -P embed.cmake: the files of the page as arrays.
file(GLOB files RELATIVE "${FROM}"
     "${FROM}/*.html" "${FROM}/*.css" "${FROM}/*.js" "${FROM}/*.svg")
set(arrays "")
set(table "")
set(number 0)
foreach(file ${files})
    file(READ "${FROM}/${file}" octets HEX)
    string(LENGTH "${octets}" digits)
    math(EXPR count "${digits} / 2")
    string(REGEX REPLACE "(..)" "0x\\1," octets "${octets}")
    string(REGEX REPLACE "(................................................................................)" "\\1\n" octets "${octets}")
    string(APPEND arrays
           "static const unsigned char file_${number}[] = {\n${octets}\n};\n\n")
    string(APPEND table "    {\"${file}\", file_${number}, ${count}},\n")
    math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${TO}"
     "#include \"proxy/http/page_octets.h\"\n\n"
     "${arrays}"
     "const struct page_file page_files[] = {\n${table}};\n"
     "const size_t page_file_count = ${number};\n")
