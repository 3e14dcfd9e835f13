/* placeholder */
typedef int mb_placeholder;
