import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';
import { root } from './run.js';

/**
 * Writes the public API of every entry point to `etc/<entry>.api.md`, from the built declarations.
 * With `--check` nothing is written: it fails when a report is out of date.
 */
const check = process.argv.includes('--check');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly exports: Record<string, string | { readonly types: string }>;
};
mkdirSync(join(root, 'etc'), { recursive: true });

let stale = 0;
for (const [name, target] of Object.entries(manifest.exports)) {
  if (typeof target === 'string') continue;
  const report = name === '.' ? 'sdk' : name.slice(2).replaceAll('/', '-');
  if (check && !existsSync(join(root, 'etc', `${report}.api.md`))) {
    console.log(`etc/${report}.api.md is missing`);
    stale += 1;
    continue;
  }
  const result = Extractor.invoke(configOf(target.types, report), {
    localBuild: !check,
    messageCallback(message) {
      message.handled = true;
      if (message.logLevel === ExtractorLogLevel.Error || message.logLevel === ExtractorLogLevel.Warning) {
        console.log(`${name}: ${message.messageId} ${message.text}`);
      }
    },
  });
  if (!result.succeeded || (check && result.apiReportChanged)) stale += 1;
}
if (stale > 0) {
  console.log('The public API and etc/ differ: run `npm run build && npm run api-report` and commit the reports.');
  process.exitCode = 1;
}

function configOf(types: string, report: string): ExtractorConfig {
  const silent = { logLevel: ExtractorLogLevel.None };
  return ExtractorConfig.prepare({
    configObjectFullPath: join(root, 'api-extractor.json'),
    packageJsonFullPath: join(root, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, types),
      compiler: { tsconfigFilePath: join(root, 'tsconfig.build.json') },
      apiReport: {
        enabled: true,
        reportFolder: join(root, 'etc'),
        reportTempFolder: join(root, '.tmp/api'),
        reportFileName: `${report}.api.md`,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Warning } },
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Warning },
          'ae-missing-release-tag': silent,
          'ae-unresolved-link': silent,
          'ae-undocumented': silent,
          // Entries share the types of core, which only the root has to export with everything else. The parts of
          // a computed type need no name there: they are listed at the end of its report, and read when it changes.
          'ae-forgotten-export':
            report === 'sdk' ? { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: true } : silent,
        },
        tsdocMessageReporting: { default: silent },
      },
    },
  });
}
