//! Quota errors are final. The SDK takes `LimitExceededException` for throttling and would try it for minutes; where
//! waiting helps, the services' retry tables say so.

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};

const CODE: &[u8] = b"LimitExceededException";

/// Forbids another try of a call that a quota refused.
#[derive(Debug)]
pub struct QuotaIsFinal;

impl ClassifyRetry for QuotaIsFinal {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(response) = context.response().filter(|response| response.status().is_client_error()) else {
            return RetryAction::NoActionIndicated;
        };
        let in_header = response.headers().get("x-amzn-errortype").is_some_and(|code| holds(code.as_bytes()));
        let in_body = response.body().bytes().is_some_and(holds);
        match in_header || in_body {
            true => RetryAction::RetryForbidden,
            false => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "quota is final"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

fn holds(text: &[u8]) -> bool {
    text.windows(CODE.len()).any(|window| window == CODE)
}
