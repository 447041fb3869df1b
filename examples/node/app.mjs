// A Node.js application with OpenTelemetry's own SDK: values over plain HTTP, uses on its spans, feedback over HTTP.
// OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 node app.mjs "How tall is the lighthouse?" user-17
import { trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';

const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'node-qa' }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
trace.setGlobalTracerProvider(provider);

// --- ours, once: what may be improved, and what is in force for a user ---
const api = process.env.OTEL_OPTO_API ?? 'http://127.0.0.1:4319';
const json = (method, path, body) =>
  fetch(api + path, { method, headers: { 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) }).then((r) => r.json());
const LIMIT = { key: 'limit', type: 'integer', default: 1, minimum: 1, maximum: 3 };
await json('PUT', '/v1/services/node-qa/parameters', { parameters: [LIMIT] }).catch(console.error);
const inForce = (user) =>
  json('GET', `/v1/services/node-qa/release?targeting_key=${encodeURIComponent(user)}`).catch(() => ({ parameters: {} }));
const use = (span, release, spec) => {
  const used = release.parameters[spec.key] ?? { value: spec.default };
  if (release.release) span.setAttribute('opto.release', release.release);
  if (used.version) span.setAttributes({ [`opto.param.${spec.key}.version`]: used.version, [`opto.param.${spec.key}.hash`]: used.hash });
  else span.setAttribute(`opto.param.${spec.key}.value`, used.value);
  return used.value;
};

// --- the application ---
const PASSAGES = ['The lighthouse is 31 metres tall.', 'The ferry leaves at nine.', 'The museum opens at ten.'];
const [question, user] = process.argv.slice(2);
const release = await inForce(user);
const span = trace.getTracer('node-qa').startSpan('answer', { attributes: { 'input.value': question } });
const answer = PASSAGES.slice(0, use(span, release, LIMIT)).join(' ');
span.setAttribute('output.value', answer).end();
console.log(answer);
await provider.shutdown();

// --- ours: how good it was ---
const { traceId, spanId } = span.spanContext();
await json('POST', '/v1/feedback', {
  feedback: [{ trace_id: traceId, span_id: spanId, name: 'short', score: 1 / answer.split('. ').length }],
}).catch(console.error);
