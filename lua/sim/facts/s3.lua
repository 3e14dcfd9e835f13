--- Texts, limits and defaults of S3, each with the confidence mark of its source: S model,
-- D documentation, K known, I inferred.

return {
  errors = { -- code -> text and HTTP status
    NoSuchBucket = { "The specified bucket does not exist", 404 }, -- K
    NoSuchKey = { "The specified key does not exist.", 404 }, -- K
    NoSuchBucketPolicy = { "The bucket policy does not exist", 404 }, -- K
    NoSuchTagSet = { "The TagSet does not exist", 404 }, -- K
    NoSuchPublicAccessBlockConfiguration = { "The public access block configuration was not found", 404 }, -- K
    NoSuchLifecycleConfiguration = { "The lifecycle configuration does not exist", 404 }, -- K
    BucketAlreadyOwnedByYou = {
      "Your previous request to create the named bucket succeeded and you already own it.", 409 }, -- K
    BucketNotEmpty = { "The bucket you tried to delete is not empty", 409 }, -- K
    InvalidBucketName = { "The specified bucket is not valid.", 400 }, -- K
    InvalidRange = { "The requested range is not satisfiable", 416 }, -- K
    PreconditionFailed = { "At least one of the pre-conditions you specified did not hold", 412 }, -- K
    NotModified = { "Not Modified", 304 }, -- K
    BadDigest = { "The Content-MD5 you specified did not match what we received.", 400 }, -- K
    InvalidDigest = { "The Content-MD5 you specified was invalid.", 400 }, -- K
    IncompleteBody = {
      "You did not provide the number of bytes specified by the Content-Length HTTP header", 400 }, -- K
    MalformedPolicy = { "Policies must be valid JSON and the first byte must be '{'", 400 }, -- K
    InvalidArgument = { "The continuation token provided is incorrect", 400 }, -- K
    InvalidRequest = {
      "This copy request is illegal because it is trying to copy an object to itself without changing the "
        .. "object's metadata, storage class, website redirect location or encryption attributes.", 400 }, -- K
    ["404"] = { "Not Found", 404 }, -- K: a HEAD request has no body that could say more
  },
  location_missing = "The unspecified location constraint is incompatible for the region specific endpoint "
    .. "this request was sent to.", -- K
  location_wrong = "The %s location constraint is incompatible for the region specific endpoint "
    .. "this request was sent to.", -- K
  page = 1000, -- S
  content_type = "binary/octet-stream", -- K: what an object is when its writer did not say
}
