"""The policy evaluator, and what the gateway asks it."""

import pytest
from botocore.exceptions import ClientError

from localaws.policies import Policy


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": [dict({"Effect": "Allow"}, **s) for s in statements]}


READ = {"Action": "s3:Get*", "Resource": "arn:aws:s3:::b/x/*"}


@pytest.mark.parametrize("statements, action, resource, context, allowed", [
    ([READ], "s3:GetObject", "arn:aws:s3:::b/x/1", {}, True),
    ([READ], "S3:getobject", "arn:aws:s3:::b/x/1", {}, True),
    ([READ], "s3:PutObject", "arn:aws:s3:::b/x/1", {}, False),
    ([READ], "s3:GetObject", "arn:aws:s3:::b/X/1", {}, False),
    ([READ], "s3:GetObject", "arn:aws:s3:::b/y/1", {}, False),
    ([READ, dict(READ, Effect="Deny", Resource="*")], "s3:GetObject", "arn:aws:s3:::b/x/1", {}, False),
    ([dict(READ, Resource="arn:aws:s3:::b/[x]/*")], "s3:GetObject", "arn:aws:s3:::b/x/1", {}, False),
    ([dict(READ, Condition={"StringEquals": {"k": ["a", "b"]}})], "s3:GetObject", "arn:aws:s3:::b/x/1", {"K": "b"}, True),
    ([dict(READ, Condition={"StringEquals": {"k": "a*"}})], "s3:GetObject", "arn:aws:s3:::b/x/1", {"k": "ab"}, False),
    ([dict(READ, Condition={"StringLike": {"k": "a*"}})], "s3:GetObject", "arn:aws:s3:::b/x/1", {"k": "ab"}, True),
    ([dict(READ, Condition={"StringLike": {"k": "a*"}})], "s3:GetObject", "arn:aws:s3:::b/x/1", {}, False),
    ([dict(READ, Condition={"StringLikeIfExists": {"k": "a*"}})], "s3:GetObject", "arn:aws:s3:::b/x/1", {}, True),
    ([dict(READ, Condition={"StringLikeIfExists": {"k": "a*"}})], "s3:GetObject", "arn:aws:s3:::b/x/1", {"k": "b"}, False),
    ([dict(READ, Condition={"Null": {"k": "false"}})], "s3:GetObject", "arn:aws:s3:::b/x/1", {}, False),
    ([dict(READ, Condition={"Null": {"k": ["false"]}})], "s3:GetObject", "arn:aws:s3:::b/x/1", {"k": "*"}, True),
    ([dict(READ, Condition={"ForAnyValue:StringEquals": {"k": "a"}})], "s3:GetObject", "arn:aws:s3:::b/x/1",
     {"k": ["b", "a"]}, True),
])
def test_the_verdict(statements, action, resource, context, allowed):
    assert Policy(policy(*statements)).allows(action, resource, context) is allowed


def test_what_is_not_understood_is_refused():
    for wrong in ({"Statement": []}, policy(dict(READ, NotAction="x")), policy(dict(READ, Effect="Maybe")),
                  policy(dict(READ, Condition={"IpAddress": {"aws:SourceIp": "1.2.3.4"}})),
                  policy(dict(READ, Condition={"ForAllValues:StringLike": {"k": "a"}}))):
        with pytest.raises(ValueError):
            Policy(wrong)


def test_a_missing_key_is_404_to_those_only_who_may_list(endpoint, control, s3):
    s3.create_bucket(Bucket="hidden")
    read = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::hidden/*"}
    listing = {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::hidden"}
    condition = {"s3:prefix": "x/*"}
    for statements, code in [((read,), "AccessDenied"), ((read, listing), "NoSuchKey"),
                             ((read, dict(listing, Condition={"StringLike": condition})), "AccessDenied"),
                             ((read, dict(listing, Condition={"StringLikeIfExists": condition})), "NoSuchKey")]:
        keys = control.issue_key(policy=policy(*statements))
        client = endpoint.client("s3", aws_access_key_id=keys["access_key_id"],
                                 aws_secret_access_key=keys["secret_access_key"],
                                 aws_session_token=keys["session_token"])
        with pytest.raises(ClientError) as error:
            client.get_object(Bucket="hidden", Key="x/none")
        assert error.value.response["Error"]["Code"] == code
