--- Texts of WAF. All of them K: widely known, not checked again.

local cannot = "AWS WAF couldn\u{2019}t perform the operation because "

return {
  errors = {
    WAFNonexistentItemException = cannot .. "your resource doesn\u{2019}t exist.",
    WAFDuplicateItemException = cannot .. "some resource in your request is a duplicate of an existing one.",
    WAFAssociatedItemException = cannot .. "your resource is being used by another resource or it\u{2019}s associated "
      .. "with another resource.",
    WAFOptimisticLockException = "AWS WAF couldn\u{2019}t save your changes because someone changed the resource after "
      .. "you started to edit it.",
  },
}
