# SPDX-License-Identifier: GPL-2.0
# Sphinx's configuration, for make htmldocs
project = "svmrun"
language = "en"
highlight_language = "none"
html_copy_source = False
html_show_copyright = False
# Types that the C library defines
nitpick_ignore_regex = [("c:identifier", r"u?int(\d+|ptr)_t|size_t|SVMRUN_INSTRUCTION_MAX"),
                          # integers of libnvmm
                          ("c:identifier", r"gpaddr_t|gvaddr_t|nvmm_\w+_t"),
                          # opaque
                          ("c:identifier", "svmrun_nested")]
