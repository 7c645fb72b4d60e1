/** The image: what its recipe says, whether its context suffices, and whether its health check tells sick from well. */
import { cp, mkdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DockerfileParser, type Instruction } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer } from '../support/backends.ts';
import { deployed, type Ended, ended, ROOT, scratch } from '../support/deployment.ts';

let directory: Awaited<ReturnType<typeof scratch>>;
let text: string;
let stages: Stage[];

beforeAll(async () => {
  directory = await scratch();
  text = await deployed('Dockerfile');
  stages = stagesOf(text);
});

afterAll(() => directory[Symbol.asyncDispose]());

test('the Dockerfile is well formed', () => {
  const problems = validate(text).map(
    ({ message, range }) => `${range.start.line + 1}: ${message}`,
  );
  expect(problems).toEqual([]);
});

test('it builds with one named compiler, which is new enough', async () => {
  const [build] = stages;
  const version = /^rust:(\d+\.\d+\.\d+)-/.exec(build?.from ?? '')?.[1];
  expect(version).toBeDefined();
  expect(build?.all('ENV').join(' ')).toContain(`RUSTUP_TOOLCHAIN=${version} `);
  const oldest = /^rust-version = "(\d+)\.(\d+)"$/m.exec(await read('Cargo.toml'));
  const [major, minor] = (version ?? '').split('.').map(Number);
  expect([major, (minor ?? 0) >= Number(oldest?.[2])]).toEqual([Number(oldest?.[1]), true]);
});

test('the image holds the program and nothing to get further with', () => {
  const image = stages.at(-1);
  expect(image?.from).toBe('scratch');
  expect(image?.all('USER')).toEqual(['65532:65532']);
  expect(image?.all('RUN')).toEqual([]);
  expect(image?.all('COPY')).toEqual(['--from=build /image/ /']);
  // Without a shell only the list form works.
  const programs = [image?.one('ENTRYPOINT'), image?.one('HEALTHCHECK').replace(/^.* CMD /, '')];
  for (const program of programs) {
    const [file] = JSON.parse(program ?? '') as string[];
    expect(stages[0]?.all('RUN').join('\n')).toContain(`/image${file} `);
  }
});

test('the image has its licence and the notices of what is compiled in, which the same target decides', () => {
  const commands = stages[0]?.all('RUN').flatMap((run) => run.split('&&').map((one) => one.trim()));
  const target = '--target "$target"';
  expect(commands).toContainEqual(expect.stringMatching(/^cargo build .*--package chat-server /));
  for (const command of commands?.filter((one) => one.startsWith('cargo ')) ?? []) {
    expect(command).toContain(target);
  }
  expect(commands).toContain(`cargo xtask notices ${target} /image/THIRD-PARTY-NOTICES.txt`);
  expect(commands).toContain('install --mode=0644 LICENSE /image/LICENSE');
});

test('it is labelled with the version of this checkout', async () => {
  const version = /^version = "(.+)"$/m.exec(await read('Cargo.toml'))?.[1];
  expect(stages.at(-1)?.one('LABEL')).toContain(`org.opencontainers.image.version="${version}"`);
});

test('what the build sees is enough for cargo, and no more than is named', async () => {
  const [first, ...lines] = (await deployed('Dockerfile.dockerignore'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(first).toBe('*');
  const named = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const left = lines.filter((line) => !line.startsWith('!'));
  expect(left).toEqual(['**/target', '**/node_modules']);
  const context = join(directory.path, 'context');
  for (const path of named) {
    await mkdir(dirname(join(context, path)), { recursive: true });
    await cp(join(ROOT, path), join(context, path), {
      recursive: true,
      filter: (from) => !['target', 'node_modules'].includes(basename(from)),
    });
  }
  const options = { cwd: context, maxBuffer: 1 << 26 };
  const cargo = await ended('cargo', ['metadata', '--locked', '--offline', '--no-deps'], options);
  expect(cargo).toMatchObject({ code: 0 });
  for (const path of ['examples/deploy/probe.rs', 'LICENSE']) {
    expect((await stat(join(context, path))).isFile()).toBe(true);
  }
});

test('the health check succeeds for a server that is ready, and for no other', async () => {
  const file = join(directory.path, 'probe');
  const compiled = await ended(
    'rustc',
    ['--edition', '2024', '-D', 'warnings', '-o', file, join('examples/deploy', 'probe.rs')],
    { cwd: ROOT },
  );
  expect(compiled).toMatchObject({ code: 0 });
  const command =
    stages
      .at(-1)
      ?.one('HEALTHCHECK')
      .replace(/^.* CMD /, '') ?? '';
  const [, listen, path = ''] = JSON.parse(command) as string[];
  expect(listen).toBe('127.0.0.1:3000');
  expect(stages.at(-1)?.one('ENV')).toBe('LISTEN=0.0.0.0:3000');
  const probe = (url: string, at = path): Promise<Ended> => ended(file, [new URL(url).host, at]);

  const well = await startServer();
  expect(await probe(well.url)).toMatchObject({ code: 0 });
  expect(await probe(well.url, '/nowhere')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('404'),
  });
  await well.program.kill();
  expect(await probe(well.url)).toMatchObject({ code: 1 });

  await using sick = await startServer({ args: ['--redis-url', 'redis://127.0.0.1:1'] });
  expect(await probe(sick.url)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('503'),
  });
  expect(await ended(file, [])).toMatchObject({ code: 2 });
});

interface Stage {
  readonly from: string;
  /** The arguments of every instruction of this name. */
  all(keyword: string): string[];
  /** The arguments of the only one. */
  one(keyword: string): string;
}

function stagesOf(dockerfile: string): Stage[] {
  const stages: { from: string; instructions: Instruction[] }[] = [];
  for (const instruction of DockerfileParser.parse(dockerfile).getInstructions()) {
    const from = instruction.getArguments()[0]?.getValue() ?? '';
    if (instruction.getKeyword() === 'FROM') stages.push({ from, instructions: [] });
    else stages.at(-1)?.instructions.push(instruction);
  }
  return stages.map(({ from, instructions }) => {
    const all = (keyword: string): string[] =>
      instructions
        .filter((instruction) => instruction.getKeyword() === keyword)
        .map((instruction) =>
          instruction
            .getTextContent()
            .replace(/^\w+\s+/, '')
            .replace(/\\\n\s*/g, ''),
        );
    return {
      from,
      all,
      one(keyword) {
        const [only, ...further] = all(keyword);
        if (only === undefined || further.length > 0) throw new Error(`not one ${keyword}`);
        return only;
      },
    };
  });
}

const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');
