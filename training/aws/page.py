"""Deploy the page: static_site/ in a bucket, behind CloudFront or as a plain S3 website."""

import time
from html import escape
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from static_site import serve
from training.aws import policies, resources
from training.aws.cloud import Cloud, CloudError, is_missing, tag_list, tag_map, words_of
from training.aws.hosting import Say
from vocab.files import sha256

SITE = Path(__file__).resolve().parents[2] / "static_site"

KINDS = ("cloudfront", "website", "none")
# CloudFront's own policies, the same in every account: caching, and security headers.
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
SECURITY_HEADERS = "67f7725c-6f97-4210-82d7-5512b31e9d03"
# Browsers look for a newer file after this time; CloudFront does so after an invalidation.
CACHE = "public, max-age=300"
POLL_SECONDS, WAIT_MINUTES = 15.0, 30
# CloudFront's words to an account that AWS has not verified: https://github.com/aws-samples/aws-cdk-examples/issues/279
UNVERIFIED = "must be verified"
HEAD = '<meta charset="utf-8">'


def deploy(cloud: Cloud, kind: str, api_url: str, say: Say, beside_url: str = "") -> str:
    """Upload the page, make it public, and return its URL. Raises CloudError."""
    bucket = cloud.stage.site_bucket
    if kind == "website":
        url = _website(cloud, bucket)
        upload(cloud, files(api_url, beside_url))
        return url
    # An existing distribution keeps its right to read during the deploy.
    existing = distributions(cloud)
    _ensure_bucket(cloud, bucket, existing[0]["ARN"] if existing else None)
    changed = upload(cloud, files(api_url, beside_url))
    distribution = ensure_distribution(cloud, say)
    if not existing:
        _ensure_bucket(cloud, bucket, distribution["ARN"])
    if changed:
        cloud.client("cloudfront").create_invalidation(
            DistributionId=distribution["Id"],
            InvalidationBatch={
                "Paths": {"Quantity": 1, "Items": ["/*"]},
                "CallerReference": sha256("".join(changed).encode())[:16] + str(time.time_ns()),
            },
        )
    return f"https://{distribution['DomainName']}/"


def retire(cloud: Cloud, kind: str, say: Say) -> None:
    """Remove the page's earlier host, when ``kind`` is another one now, or none."""
    if kind != "cloudfront":
        for distribution in distributions(cloud):
            remove_distribution(cloud, distribution["Id"], say)
        for control in access_controls(cloud):
            remove_access_control(cloud, control["Id"])
    bucket = cloud.stage.site_bucket
    if kind == "website" or resources.bucket_tags(cloud, bucket) is None:
        return
    if kind == "cloudfront":
        cloud.client("s3").delete_bucket_website(Bucket=bucket)
        return
    resources.check_bucket(cloud, bucket)
    resources.empty_bucket(cloud, bucket)
    cloud.client("s3").delete_bucket(Bucket=bucket)
    say("page: removed")


def _ensure_bucket(cloud: Cloud, bucket: str, distribution_arn: str | None) -> None:
    """Create the private bucket; a distribution, where one is given, may read it."""
    reader = [_may_read(cloud, bucket, distribution_arn)] if distribution_arn else []
    resources.ensure_bucket(cloud, bucket, policies.of_bucket(cloud.stage, bucket, *reader))


# --- files --------------------------------------------------------------------------------------


def files(api_url: str, beside_url: str = "") -> dict[str, bytes]:
    """Return the page's files by name, with the API's URL in config.js and its origin in the page's CSP.

    ``beside_url``, a second model's API, stands in both too.
    """
    contents = {
        str(path.relative_to(SITE)): path.read_bytes()
        for path in sorted(SITE.rglob("*"))
        if path.is_file() and path.suffix in serve.CONTENT_TYPES
    }
    contents["config.js"] = serve.config_of(api_url.rstrip("/"), beside_url.rstrip("/"))
    for name in contents:
        if name.endswith(".html"):
            contents[name] = with_policy(contents[name].decode(), name, api_url, beside_url).encode()
    return contents


def with_policy(html: str, name: str, api_url: str, beside_url: str = "") -> str:
    """Insert the content security policy into a page's HTML: a bucket sends no such header.

    Only a header can say which sites may frame the page, so CloudFront's own headers do.
    """
    policy = serve.security_headers(api_url, beside_url)["Content-Security-Policy"]
    parts = [part for part in policy.split("; ") if not part.startswith("frame-ancestors")]
    meta = f'<meta http-equiv="Content-Security-Policy" content="{escape("; ".join(parts))}">'
    if HEAD not in html:
        raise CloudError(f"static_site/{name} has no {HEAD}, so the policy has no place; add that line")
    referrer = '<meta name="referrer" content="no-referrer">'
    return html.replace(HEAD, f"{HEAD}\n    {meta}\n    {referrer}", 1)


def upload(cloud: Cloud, contents: dict[str, bytes]) -> list[str]:
    """Upload new and changed files, delete all others; return the names of both."""
    s3, bucket, changed = cloud.client("s3"), cloud.stage.site_bucket, []
    for name, data in contents.items():
        digest = sha256(data)
        if _uploaded_hash(cloud, name) == digest:
            continue
        s3.put_object(
            Bucket=bucket,
            Key=name,
            Body=data,
            ContentType=serve.CONTENT_TYPES[Path(name).suffix],
            CacheControl=CACHE,
            Metadata={resources.HASH: digest},
        )
        changed.append(name)
    for entry in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket).search("Contents[]"):
        if entry and entry["Key"] not in contents:
            s3.delete_object(Bucket=bucket, Key=entry["Key"])
            changed.append(entry["Key"])
    return changed


def _uploaded_hash(cloud: Cloud, name: str) -> str | None:
    try:
        head = cloud.client("s3").head_object(Bucket=cloud.stage.site_bucket, Key=name)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return str(head["Metadata"].get(resources.HASH))


# --- a plain website ----------------------------------------------------------------------------


def _website(cloud: Cloud, bucket: str) -> str:
    stage = cloud.stage
    # S3's websites have no TLS, so this policy does not demand it.
    read = {
        "Sid": "AnybodyReads",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:{stage.partition}:s3:::{bucket}/*",
    }
    policy = {"Version": policies.VERSION, "Statement": [read]}
    resources.ensure_bucket(cloud, bucket, policy, public=True)
    website = {"IndexDocument": {"Suffix": "index.html"}}
    cloud.client("s3").put_bucket_website(Bucket=bucket, WebsiteConfiguration=website)
    return f"http://{bucket}.s3-website.{stage.region}.amazonaws.com/"


# --- CloudFront ---------------------------------------------------------------------------------


def distributions(cloud: Cloud) -> list[dict[str, Any]]:
    """Return the stage's distributions, by their tags."""
    client, ours = cloud.client("cloudfront"), []
    for page in client.get_paginator("list_distributions").paginate():
        for distribution in page["DistributionList"].get("Items", []):
            tags = client.list_tags_for_resource(Resource=distribution["ARN"])["Tags"]["Items"]
            if cloud.stage.owns(tag_map(tags)):
                ours.append(distribution)
    return ours


def access_controls(cloud: Cloud) -> list[dict[str, Any]]:
    """Return the origin access controls with the site bucket's name; AWS gives them no tags."""
    client = cloud.client("cloudfront")
    controls: list[dict[str, Any]] = []
    start: dict[str, str] = {}
    while True:
        answer = client.list_origin_access_controls(**start).get("OriginAccessControlList", {})
        controls += [item for item in answer.get("Items", []) if item["Name"] == cloud.stage.site_bucket]
        if not answer.get("IsTruncated"):
            return controls
        start = {"Marker": answer["NextMarker"]}


def ensure_distribution(cloud: Cloud, say: Say) -> dict[str, Any]:
    """Create the distribution in front of the site's bucket unless it exists; enable a disabled one."""
    existing = distributions(cloud)
    if not existing:
        control = _ensure_control(cloud)
        say("CloudFront distribution: it answers everywhere some minutes after its creation")
        return _create_distribution(cloud, control)
    if not existing[0]["Enabled"]:
        _switch(cloud, existing[0]["Id"], enabled=True)
    return existing[0]


def _create_distribution(cloud: Cloud, control: str) -> dict[str, Any]:
    """Create the distribution. Raises CloudError while AWS has not verified a new account."""
    try:
        created = cloud.client("cloudfront").create_distribution_with_tags(
            DistributionConfigWithTags={
                "DistributionConfig": _distribution(cloud, control),
                "Tags": {"Items": tag_list(cloud.stage.tags)},
            }
        )
    except ClientError as error:
        if UNVERIFIED not in words_of(error):
            raise
        raise CloudError(
            f"CloudFront said: {words_of(error).rstrip('.')}. API and endpoint are up; ask AWS support, then"
            " run `make deploy` again, or deploy the page without CloudFront: `make deploy SITE=website`"
        ) from error
    return dict(created["Distribution"])


def _ensure_control(cloud: Cloud) -> str:
    existing = access_controls(cloud)
    if existing:
        return str(existing[0]["Id"])
    created = cloud.client("cloudfront").create_origin_access_control(
        OriginAccessControlConfig={
            "Name": cloud.stage.site_bucket,
            "Description": f"Verdict, stage {cloud.stage.name}: CloudFront reads the page's bucket",
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
    )
    return str(created["OriginAccessControl"]["Id"])


def _distribution(cloud: Cloud, control: str) -> dict[str, Any]:
    bucket, region = cloud.stage.site_bucket, cloud.stage.region
    origin = {
        "Id": bucket,
        "DomainName": f"{bucket}.s3.{region}.amazonaws.com",
        "OriginAccessControlId": control,
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    return {
        "CallerReference": f"{bucket}-{time.time_ns()}",
        "Comment": f"{cloud.stage.prefix}: the page",
        "Enabled": True,
        "DefaultRootObject": "index.html",
        "HttpVersion": "http2and3",
        "PriceClass": "PriceClass_100",
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {
            "TargetOriginId": bucket,
            "ViewerProtocolPolicy": "redirect-to-https",
            "CachePolicyId": CACHING_OPTIMIZED,
            "ResponseHeadersPolicyId": SECURITY_HEADERS,
            "Compress": True,
        },
    }


def _may_read(cloud: Cloud, bucket: str, distribution_arn: str) -> dict[str, Any]:
    return {
        "Sid": "OneDistributionReads",
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"arn:{cloud.stage.partition}:s3:::{bucket}/*",
        "Condition": {"StringEquals": {"AWS:SourceArn": distribution_arn}},
    }


def _switch(cloud: Cloud, distribution: str, enabled: bool) -> None:
    client = cloud.client("cloudfront")
    answer = client.get_distribution_config(Id=distribution)
    config = {**answer["DistributionConfig"], "Enabled": enabled}
    client.update_distribution(Id=distribution, IfMatch=answer["ETag"], DistributionConfig=config)


def remove_distribution(cloud: Cloud, distribution: str, say: Say) -> None:
    """Disable a distribution, wait until it is off everywhere, and delete it. Raises CloudError."""
    client = cloud.client("cloudfront")
    if client.get_distribution(Id=distribution)["Distribution"]["DistributionConfig"]["Enabled"]:
        _switch(cloud, distribution, enabled=False)
    say(f"CloudFront distribution {distribution}: disabled; waiting until it is off everywhere")
    deadline = time.monotonic() + 60 * WAIT_MINUTES
    while True:
        answer = client.get_distribution(Id=distribution)
        if answer["Distribution"]["Status"] == "Deployed":
            break
        if time.monotonic() > deadline:
            raise CloudError(
                f"CloudFront distribution {distribution} is not off everywhere after {WAIT_MINUTES}"
                " minutes; run this again"
            )
        time.sleep(POLL_SECONDS)
    client.delete_distribution(Id=distribution, IfMatch=answer["ETag"])


def remove_access_control(cloud: Cloud, control: str) -> None:
    """Delete an origin access control."""
    client = cloud.client("cloudfront")
    etag = client.get_origin_access_control(Id=control)["ETag"]
    client.delete_origin_access_control(Id=control, IfMatch=etag)
