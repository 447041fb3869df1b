// Exports one span and one log record with the official exporters: node export.mjs grpc|http/protobuf|http/json URL COMPRESSION
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';

const [protocol, url, compression] = process.argv.slice(2);
const kind = { grpc: 'grpc', 'http/protobuf': 'proto', 'http/json': 'http' }[protocol];
const { OTLPTraceExporter } = await import(`@opentelemetry/exporter-trace-otlp-${kind}`);
const { OTLPLogExporter } = await import(`@opentelemetry/exporter-logs-otlp-${kind}`);
const at = (path) => ({ url: kind === 'grpc' ? url : `${url}${path}`, compression });
const resource = resourceFromAttributes({ 'service.name': `javascript-${kind}` });

const traces = new BasicTracerProvider({
  resource,
  spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter(at('/v1/traces')))],
});
const span = traces.getTracer('peer', '1.2.3').startSpan('from javascript', {
  attributes: { text: 'ünï', whole: 42, real: 0.5, yes: true, list: ['a', 'b'] },
});
span.addEvent('happened', { key: 'value' });
const judged = trace.setSpan(ROOT_CONTEXT, span);
span.end();
await traces.forceFlush();
await traces.shutdown();

const logs = new LoggerProvider({
  resource,
  processors: [new SimpleLogRecordProcessor({ exporter: new OTLPLogExporter(at('/v1/logs')) })],
});
logs.getLogger('peer').emit({
  eventName: 'gen_ai.evaluation.result',
  severityNumber: SeverityNumber.INFO,
  body: 'judged',
  context: judged,
  attributes: { 'gen_ai.evaluation.name': 'quality', 'gen_ai.evaluation.score.value': 0.25 },
});
await logs.forceFlush();
await logs.shutdown();
const { traceId, spanId } = span.spanContext();
console.log(JSON.stringify({ trace_id: traceId, span_id: spanId }));
