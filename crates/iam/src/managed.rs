//! Policies that AWS provides and everybody may attach.
//!
//! The wide ones are kept for some services only, and say for which they are whole: for the actions of any other service
//! what they say is not known here.
//!
//! <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html>

/// One AWS-managed policy.
#[derive(Debug)]
pub struct AwsManaged {
    /// The ARN, in the partition `aws`.
    pub arn: &'static str,
    /// The unique id.
    pub id: &'static str,
    /// What AWS says that it is for.
    pub description: &'static str,
    /// The document's text.
    pub document: &'static str,
    /// The services for whose actions the text is AWS's whole one; nothing when it is for all.
    pub whole_for: Option<&'static [&'static str]>,
}

impl AwsManaged {
    /// The policy's name.
    pub fn name(&self) -> &'static str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }

    /// The path, which begins and ends with a slash.
    pub fn path(&self) -> &'static str {
        let rest = self.arn.split_once(":policy").map(|(_, rest)| rest).unwrap_or_default();
        rest.strip_suffix(self.name()).unwrap_or("/")
    }

    /// Whether the text says all that the policy says on an action such as `kms:Decrypt`.
    pub fn is_whole_for(&self, action: &str) -> bool {
        let service = action.split(':').next().unwrap_or_default();
        self.whole_for.is_none_or(|services| services.iter().any(|known| known.eq_ignore_ascii_case(service)))
    }
}

/// The policy of that ARN, in any partition.
pub fn aws_managed(arn: &str) -> Option<&'static AwsManaged> {
    let (_, name) = arn.strip_prefix("arn:aws")?.split_once(":iam::aws:policy/")?;
    ALL.iter().find(|policy| policy.arn.split_once(":policy/").is_some_and(|(_, known)| known == name))
}

/// All of them, by ARN.
pub const ALL: &[AwsManaged] = &[
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser",
        id: "ANPAJNPP7PPPPMJRV2SA4",
        description: "Provides access to AWS Key Management Service (KMS).",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kms:CreateAlias","kms:CreateKey","kms:DeleteAlias","kms:Describe*","kms:GenerateRandom","kms:Get*","kms:List*","kms:TagResource","kms:UntagResource","iam:ListGroups","iam:ListRoles","iam:ListUsers"],"Resource":"*"}]}"#,
        whole_for: None,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AdministratorAccess",
        id: "ANPAIWMBCKSKIEE64ZLYK",
        description: "Provides full access to AWS services and resources.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        whole_for: None,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess",
        id: "ANPAINUGF2JSOSUY76KYA",
        description: "Provides full access to Amazon DynamoDB via the AWS Management Console.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:*","iam:GetRole","iam:ListRoles","kms:DescribeKey","kms:ListAliases"],"Resource":"*"}]}"#,
        whole_for: Some(&["dynamodb", "kms", "sts"]),
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess",
        id: "ANPAIY2XFNA232XJ6J7X2",
        description: "Provides read only access to Amazon DynamoDB via the AWS Management Console.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:BatchGetItem","dynamodb:Describe*","dynamodb:List*","dynamodb:GetAbacStatus","dynamodb:GetItem","dynamodb:GetResourcePolicy","dynamodb:Query","dynamodb:Scan","dynamodb:PartiQLSelect","iam:GetRole","iam:ListRoles","kms:DescribeKey","kms:ListAliases"],"Resource":"*"}]}"#,
        whole_for: Some(&["dynamodb", "kms", "sts"]),
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/IAMFullAccess",
        id: "ANPAI7XKCFMBPM3QQRRVQ",
        description: "Provides full access to IAM via the AWS Management Console.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*"],"Resource":"*"}]}"#,
        whole_for: Some(&["dynamodb", "iam", "kms", "sts"]),
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/IAMReadOnlyAccess",
        id: "ANPAJKSO7NDY4T57MWDSQ",
        description: "Provides read only access to IAM via the AWS Management Console.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GenerateCredentialReport","iam:GenerateServiceLastAccessedDetails","iam:Get*","iam:List*","iam:SimulateCustomPolicy","iam:SimulatePrincipalPolicy"],"Resource":"*"}]}"#,
        whole_for: None,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/PowerUserAccess",
        id: "ANPAJYRXTHIB4FOVS3ZXS",
        description: "Provides full access to AWS services and resources, but does not allow management of Users and groups.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"},{"Effect":"Allow","Action":["iam:CreateServiceLinkedRole","iam:DeleteServiceLinkedRole","iam:ListRoles","organizations:DescribeOrganization","account:ListRegions","account:GetAccountInformation"],"Resource":"*"}]}"#,
        whole_for: Some(&["dynamodb", "kms", "sts"]),
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/ReadOnlyAccess",
        id: "ANPAILL3HVNFSB6DCOWYQ",
        description: "Provides read-only access to AWS services and resources.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:BatchGetItem","dynamodb:Describe*","dynamodb:Get*","dynamodb:List*","dynamodb:PartiQLSelect","dynamodb:Query","dynamodb:Scan","iam:GenerateCredentialReport","iam:Get*","iam:List*","iam:Simulate*","kms:Describe*","kms:Get*","kms:List*","sts:GetAccessKeyInfo","sts:GetCallerIdentity","sts:GetSessionToken"],"Resource":"*"}]}"#,
        whole_for: Some(&["dynamodb", "kms", "sts"]),
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/SecurityAudit",
        id: "ANPAIX2T3QCXHR2OGGCTO",
        description: "The security audit template grants access to read security configuration metadata.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:DescribeContinuousBackups","dynamodb:DescribeTable","dynamodb:DescribeTimeToLive","dynamodb:ListTables","dynamodb:ListTagsOfResource","iam:Get*","iam:List*","iam:SimulateCustomPolicy","iam:SimulatePrincipalPolicy","kms:Describe*","kms:Get*","kms:List*"],"Resource":"*"}]}"#,
        whole_for: Some(&["kms"]),
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
        id: "ANPAID22R6XPJATWOFDK6",
        description: "This policy grants permissions to view resources and basic metadata across all AWS services.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:DescribeBackup","dynamodb:DescribeTable","dynamodb:ListTables","iam:GetLoginProfile","iam:List*","kms:ListAliases","kms:ListKeys"],"Resource":"*"}]}"#,
        whole_for: Some(&["kms"]),
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        id: "ANPAJNCQGXC42545SKXIK",
        description: "Provides write permissions to CloudWatch Logs.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}"#,
        whole_for: None,
    },
    AwsManaged {
        arn: "arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole",
        id: "ANPAIP7WNAGMIPYNW4WQG",
        description: "Provides list and read access to DynamoDB streams and write permissions to CloudWatch Logs.",
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:DescribeStream","dynamodb:GetRecords","dynamodb:GetShardIterator","dynamodb:ListStreams","logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}"#,
        whole_for: None,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_documents_can_be_read_and_arns_are_unique() {
        for policy in ALL {
            let document = crate::Document::parse(policy.document).unwrap();
            assert!(!document.statements.is_empty());
        }
        assert!(ALL.windows(2).all(|pair| pair[0].arn < pair[1].arn));
    }

    #[test]
    fn names_and_paths_follow_from_the_arn() {
        let policy = aws_managed("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess").unwrap();
        assert_eq!((policy.name(), policy.path()), ("ViewOnlyAccess", "/job-function/"));
        assert_eq!(aws_managed("arn:aws:iam::aws:policy/AdministratorAccess").unwrap().path(), "/");
        assert!(aws_managed("arn:aws:iam::aws:policy/Nothing").is_none());
        assert!(aws_managed("arn:aws-cn:iam::aws:policy/AdministratorAccess").is_some());
        assert!(aws_managed("arn:aws:iam::111122223333:policy/AdministratorAccess").is_none());
    }

    #[test]
    fn what_a_text_leaves_out_is_said() {
        let wide = aws_managed("arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess").unwrap();
        assert!(wide.is_whole_for("DynamoDB:GetItem") && !wide.is_whole_for("iam:PassRole"));
        let all = aws_managed("arn:aws:iam::aws:policy/AdministratorAccess").unwrap();
        assert!(all.is_whole_for("anything:AtAll"));
        for policy in ALL {
            // Who is asked about the items of a table is asked about its key with the same text.
            let [table, key] = ["dynamodb:GetItem", "kms:Decrypt"].map(|action| policy.is_whole_for(action));
            assert!(key || !table, "{}", policy.arn);
        }
    }
}
