# The core is linked statically into each library that uses it, and exported from none. Apple's linker has no such option; there the
# hidden visibility that the core itself is compiled with is all.
function(diffpair_hide_core target)
    set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
    if(NOT APPLE)
        target_link_options(${target} PRIVATE -Wl,--exclude-libs,ALL)
    endif()
endfunction()
