# Writes what fluentd and fluent-plugin-kinesis really make of syslog lines (records.jsonl, captured.json), of
# configuration files (syntax.jsonl) and of match patterns (patterns.tsv). They do the work: parsers, formatter and
# output plugin are theirs; this script only feeds them and notes the result. Needs the gems fluentd 1.12 or newer,
# fluent-plugin-kinesis 3 and oj; no service is called.
#
#     ruby make_goldens.rb            # writes the files beside it
#     ruby make_goldens.rb --check    # compares instead, status 1 when something differs
require 'base64'
require 'digest'
require 'json'
require 'oj'
require 'fluent/version'
require 'fluent/engine'
require 'fluent/log'
require 'fluent/config'
require 'fluent/config/element'
require 'fluent/match'
require 'fluent/plugin/parser_syslog'
require 'fluent/plugin/formatter_json'
require 'fluent/plugin/buf_memory'
require 'fluent/plugin/out_kinesis_streams'
require 'fluent_plugin_kinesis/version'
require 'serverengine'

HERE = __dir__
SEED = 20_240_229
RANDOM_CASES = 800

def element(name, settings, *inside)
  Fluent::Config::Element.new(name, '', settings, inside)
end

def parser(settings)
  Fluent::Plugin::SyslogParser.new.tap { |plugin| plugin.configure(element('parse', settings)) }
end

def output(settings)
  plugin = Fluent::Plugin::KinesisStreamsOutput.new
  plugin.configure(
    element('match', { 'stream_name' => 'x', 'region' => 'us-east-1', '@id' => "o#{settings.hash}" }.merge(settings)))
  plugin
end

$log = Fluent::Log.new(ServerEngine::DaemonLogger.new(File.open(File::NULL, 'w')))

PLAIN = parser({})
KEEP_TIME = parser('keep_time_key' => 'true')
NEWLINE = output({})
CHOMPED = output('chomp_record' => 'true')

# The record on the stream for one line of a file (without its LF), or nil when fluentd drops the line.
def record(line, parser, output)
  text = (line + "\n").b
  text.chomp! # as in_tail does
  result = nil
  begin
    parser.parse(text) do |time, fields|
      next unless time && fields
      packed = output.format('tag', time, fields)
      result = MessagePack.unpack(packed)[0].b
    end
  rescue StandardError
    return nil # in_tail: "invalid line found"
  end
  result
end

# The record with LF, and the text that keep_time_key adds at its start: `{"time":"<text>",`.
def both(line)
  plain = record(line, PLAIN, NEWLINE)
  chomped = record(line, PLAIN, CHOMPED)
  raise "LF: #{line.inspect}" unless plain == (chomped && chomped + "\n".b)
  keep = record(line, KEEP_TIME, NEWLINE)
  return [nil, nil] if plain.nil? && keep.nil?
  time = keep[0, keep.bytesize - plain.bytesize + 1]
  start = '{"time":"'.b
  raise "time: #{line.inspect}" unless time.start_with?(start) && time.end_with?('",') && keep == time + plain[1..]
  [plain, time[start.bytesize...-2]]
end

HEADER = 'Nov 22 21:31:00 web1 '.b

WRITTEN = [
  # Ordinary lines.
  "Nov 22 21:31:00 web1 drupal: http://default|1732311060|php|203.0.113.9|http://default/x|http://r/|0||Notice: x in y (line 1 of z).",
  'Nov  2 21:31:00 web1 drupal: day in one digit', 'Nov 02 21:31:00 web1 drupal: zero', 'Nov 2 21:31:00 web1 drupal: one blank',
  'Nov 22 21:31:00 web1 drupal[1234]: with pid', 'Nov 22 21:31:00 web1 drupal[1234] no colon', 'Nov 22 21:31:00 web1 CRON[9]: (root) CMD (x)',
  'Nov 22 21:31:00 web1 /USR/SBIN/CRON[6808]: x', 'Nov 22 21:31:00 web1 sshd(pam_unix)[12750]: x', 'Nov 22 21:31:00 web1 postfix/smtpd[1]: x',
  'Nov 22 21:31:00 web1 kernel: [12345.678901] x', 'Nov 22 21:31:00 web1 kernel[0]: x', 'Nov 22 21:31:00 web1 -- MARK --',
  'Nov 22 21:31:00 web1 last message repeated 3 times', 'Nov 22 21:31:00 ::1 drupal: ipv6 host', 'Nov 22 21:31:00 user@host/relay drupal: x',
  # No colon, and colons where they mislead.
  'Nov 22 21:31:00 web1 drupal #0 /x.php(12): foo()', 'Nov 22 21:31:00 web1 drupal no colon at all', 'Nov 22 21:31:00 web1 drupal',
  'Nov 22 21:31:00 web1 drupal:', 'Nov 22 21:31:00 web1 :', 'Nov 22 21:31:00 web1 : x', 'Nov 22 21:31:00 web1 ::x', 'Nov 22 21:31:00 web1  x: y',
  'Nov 22 21:31:00 web1 ', 'Nov 22 21:31:00 web1', 'Nov 22 21:31:00 ', 'Nov 22 21:31:00', 'Nov 22 21:31:00  web1 drupal: two blanks', 'Nov 22 21:31:00   x',
  'Nov 22 21:31:00 web1 drupal:no blank', 'Nov 22 21:31:00 web1 drupal:    four blanks', 'Nov 22 21:31:00 web1 drupal:   ', 'Nov 22 21:31:00 web1 drupal :x',
  'Nov 22 21:31:00 web1 a[b]: text pid', 'Nov 22 21:31:00 web1 a[]: no pid', 'Nov 22 21:31:00 web1 a[1: open', 'Nov 22 21:31:00 web1 a[1]b: after',
  'Nov 22 21:31:00 web1 a[1][2]: two', 'Nov 22 21:31:00 web1 [1]: no ident', 'Nov 22 21:31:00 web1 [x', 'Nov 22 21:31:00 web1 a]1[: x', 'Nov 22 21:31:00 web1 a[12345678901234567890]: long pid',
  'Nov 22 21:31:00 web1 a[1 2]: x', 'Nov 22 21:31:00 web1 a [1]: x', 'Nov 22 21:31:00 web1:drupal: x', 'Nov 22 21:31:00 web1 drupal: a: b: c', "Nov 22 21:31:00 web1 drupal:\ttab", "Nov 22 21:31:00 web1\tdrupal: tab",
  # Times: what is accepted, and what is not.
  '2024-11-22T21:31:00+01:00 web1 drupal: iso', '<134>Nov 22 21:31:00 web1 drupal: pri', '<134>2024-11-22T21:31:00+01:00 web1 drupal: x', '<134>1 2024-11-22T21:31:00Z web1 drupal 1 - - x',
  '2024 Nov 22 21:31:00 web1 drupal: year', 'Nov 22 2024 21:31:00 web1 drupal: x', 'Nov 22 21:31:00.123 web1 drupal: fraction', 'Nov 22 21:31:00: web1 drupal: cisco', 'Nov 22 21:31:00,5 web1 drupal: x',
  'nov 22 21:31:00 web1 drupal: x', 'NOVEMBER 22 21:31:00 web1 drupal: x', 'November 22 21:31:00 web1 drupal: x', 'Novemb 22 21:31:00 web1 drupal: x', 'May 22 21:31:00 web1 d: x', 'Sept 22 21:31:00 web1 d: x', 'Mai 22 21:31:00 web1 d: x',
  'Nov 0 21:31:00 web1 d: x', 'Nov 32 21:31:00 web1 d: x', 'Nov 31 21:31:00 web1 d: x', 'Feb 30 21:31:00 web1 d: x', 'Nov 022 21:31:00 web1 d: x', 'Nov 22 24:00:00 web1 d: x', 'Nov 22 23:60:00 web1 d: x', 'Nov 22 23:59:60 web1 d: x', 'Nov 22 23:59:61 web1 d: x',
  'Nov 22 1:2:3 web1 d: x', 'Nov 22 1:2:3x web1 d: x', 'Nov 22 1:2 web1 d: x', 'Nov 22 1:2: web1 d: x', 'Nov 22 001:2:3 web1 d: x', 'Nov 22 -1:2:3 web1 d: x', 'Nov 22 1:2:345 web1 d: x', 'Nov 22 1;2;3 web1 d: x', 'Nov 22 :: web1 d: x',
  'Nov22 21:31:00 web1 drupal: shifted', 'Nov2221:31:00 a web1 drupal: shifted twice', 'Nov222:31:00 a b web1 drupal: x', "Nov\t22 21:31:00 web1 host drupal: x", "Nov\t22\t21:31:00 a b host drupal: x", "Nov \v22 21:31:00 web1 drupal: x",
  "Nov\r22 21:31:00 web1 host drupal: x", "Nov\u00a022 21:31:00 web1 host drupal: x", ' Nov 22 21:31:00 web1 drupal: leading blank', "\tNov 22 21:31:00 web1 drupal: leading tab", 'Nov  22  21:31:00 web1 drupal: blanks', 'Nov   2    21:31:00   web1 drupal: x', 'Nov  2 21:31:00  web1 drupal: x',
  'Nov 22', 'Nov', '', ' ', '   ', 'a b c', 'a b c d', 'a b c d e', '#0 /var/www/x.php(12): foo()', "\tat java.lang.Thread.run(Thread.java:1)", '{"message":"json"}', '-- MARK --', 'Nov 22 ', 'Nov 22  ',
  # Bytes that JSON escapes, or not.
  HEADER + 'drupal: "quoted" \\ back / slash <b>&\'x', HEADER + "drupal: #{[*0..9, *11..31].map(&:chr).join}".b, HEADER + "drupal: \x7f\u0080\u2028\u2029é€😀".b, HEADER + "drupal: \xff\xfe\xc3(\xed\xa0\x80\xc0\xaf\xf4\x90\x80\x80".b,
  HEADER + "dr\"up\\al[1]: x", "Nov 22 21:31:00 we\"b\\1\x01 drupal: x", HEADER + "d\xc3\xa9\xff: x".b, "Nov 22 21:31:00 \xff drupal: x".b, "Nov 22 21:31:00 web1 \x00drupal: \x00nul\x00".b, HEADER + "drupal: cut\xe2\x82".b, HEADER + ':abc', HEADER + 'd: :abc', HEADER + 'd: ^i1', HEADER + 'd: ~mode',
  # Carriage returns.
  HEADER + "drupal: cr\r", HEADER + "drupal: two\r\r", HEADER + "drupal: three\r\r\r", HEADER + "drupal: in\rside", HEADER + "drupal:\r", HEADER + "drupal:\r\r", HEADER + "drupal\r", HEADER + "\r", HEADER + "\r\r", "Nov 22 21:31:00 web1\r", "\r", "no match\r", 'Nov 22 21:31:00 web1 drupal: ' + 'long ' * 2_000,
].map(&:b).freeze

# Lines made of parts that matter to the parser, from a fixed seed.
def random_lines
  random = Random.new(SEED)
  # Each part: what is usual, and what is not.
  parts = [
    [%w[Jan Feb mar APR May jun July August Sep Oct Nov December], ['Mon', 'Nove', '', ' ', 'J']],
    [[' '], ['  ', "\t", '']], [(1..31).map(&:to_s) + %w[01 09], ['0', '32', '00', '100', 'x', '']],
    [[' '], ['  ', "\t", '']], [['21:31:00', '1:2:3', '00:00:00', '23:59:60'], ['24:00:00', '1:60:1', '1:2', '1:2:3.5', '12:34:567', 'x', '']],
    [[' '], ['  ', "\t", '']], [%w[web1 h], ['', 'h"', 'a b', "\xff".b]],
    [[' '], ['  ', "\t", '']], [['drupal', 'a[1]', 'CRON[123]x'], ['a[x]', 'a[', '[9]', 'a b', 'a:b', '', "a\"", "\xff".b]],
    [[':', ': '], [':  ', '', ' ', ' x', '::', "\r", ' :']]
  ]
  bytes = (0..255).reject { |b| b == 10 }
  Array.new(RANDOM_CASES) do
    head = parts.map { |usual, odd| (random.rand(10).zero? ? odd : usual).sample(random: random).b }.join.b
    tail = Array.new(random.rand(10)) { random.rand(3).zero? ? bytes.sample(random: random).chr.b : %w[a : \\ [ ] é x].sample(random: random).b }
    line = head + tail.join.b
    random.rand(12).zero? ? line[0, random.rand(line.bytesize + 1)] : line
  end
end

def text_or_base64(key, bytes)
  return { key => nil } if bytes.nil?
  text = bytes.dup.force_encoding('UTF-8')
  plain = text.valid_encoding? && text.match?(/\A[\x20-\x7e]*\n?\z/)
  plain ? { key => text } : { "#{key}_base64" => Base64.strict_encode64(bytes) }
end

def cases
  (WRITTEN + random_lines).uniq.map do |line|
    plain, time = both(line)
    JSON.generate(text_or_base64('line', line).merge(text_or_base64('record', plain), text_or_base64('time', time)))
  end.join("\n") + "\n"
end

# Every line of the captured files: the count and the hash of all records, one after the other.
def captured
  root = File.join(HERE, '..', 'drupal')
  files = Dir.glob('**/*.log*', base: root).select { |path| File.file?(File.join(root, path)) }.sort
  summaries = files.map do |path|
    content = File.binread(File.join(root, path))
    content = Zlib::GzipReader.wrap(StringIO.new(content), &:read).b if path.end_with?('.gz')
    lines = content.split("\n".b)
    results = lines.map { |line| both(line) }
    { 'file' => path, 'lines' => lines.size, 'matched' => results.count { |plain, _| plain },
      'sha256' => Digest::SHA256.hexdigest(results.map { |plain, _| plain }.compact.join),
      'sha256_of_times' => Digest::SHA256.hexdigest(results.map { |_, time| time }.compact.join("\n")) }
  end
  JSON.pretty_generate({ 'made_with' => "fluentd #{Fluent::VERSION}, fluent-plugin-kinesis #{FluentPluginKinesis::VERSION}, " \
    "oj #{Oj::VERSION}, ruby #{RUBY_VERSION}", 'files' => summaries }) + "\n"
end

# Configurations in Fluentd's own form, good and bad.
CONFIGS = [
  '', "# only a comment\n", "<source>\n  @type tail\n  path /var/log/a.log # why\n</source>\n", "<match a.** b>\n</match>\n<match>\n</match>",
  "<match  a  >\n  key  value with blanks  \n</match>", "<a>\n<b x>\n<c>\nk v\n</c>\n</b>\nk2 v2\n</a>", "k\nk2 \nk3 v\n", "k v#no comment\nk2 v #comment\nk3 #c d\nk4 #x\n",
  "k /(?<a>[^ #]*)#/\n", "k 'single \\' \\\\ \\n #'\n", "k \"double \\\" \\\\ \\n\\t # \#{ENV['SLUICE_TEST']}\"\n", "k \"a\\\nb\"\n", "k \"a\nb\"\n", "k \"a\" # comment\n",
  "k [\"a\", \"b\"]\n", "k [\"a\", # one\n  \"b#c\"\n]\nk2 v\n", "k {\"a\": {\"b\": 1}}\n", "k v\r\n<a>\r\nk v\r\n</a>\r\n", "\tk\tv\t\n", "k v\nk w\n", "<a>\n  @id x\n  @label @Y\n</a>\n",
  "k \"\#{ENV['SLUICE_TEST'] || 'other'}\"\n", "k \"\#{ENV['SLUICE_NONE'] || 'other'}\"\n", "k \"\#{ENV.fetch('SLUICE_NONE', 'f')}-x\"\n", "k \"x\#{ENV[\"SLUICE_TEST\"]}y\"\n", "k plain \#{ENV['SLUICE_TEST']}\n",
  "<match {a,b}.c>\n@type copy\n<store>\n@type x\n</store>\n<store ignore_error>\n@type y\n</store>\n</match>", "k ''\nk2 \"\"\n", "k 日本 é\n", "<a>\n#</a>\n</a>\n", "k =\nk2 a=b\n",
  # Bad ones.
  "<a>\n", "<a>\n</b>\n", "</a>\n", "<a\n</a>\n", "<a>x\n</a>\n", "k \"open\n", "k 'open\n", "k [\"a\"\n", "k \"a\" b\n", "k 'a' b\n", "k \"a\\q\"\n", "<a>\n<b>\n</a>\n</b>\n", "<a>\n</a> x\n", "k \"\#{ENV['X']\n"
].freeze

def tree(element)
  { 'name' => element.name, 'argument' => element.arg, 'settings' => element.to_h,
    'sections' => element.elements.map { |inside| tree(inside) } }
end

def syntax
  ENV['SLUICE_TEST'] = 'from the environment'
  CONFIGS.map do |text|
    result = begin
      tree(Fluent::Config.parse(text, 'f.conf', HERE, true))
    rescue StandardError
      nil
    end
    JSON.generate('text' => text, 'tree' => result)
  end.join("\n") + "\n"
end

PATTERNS = %w[** * a.* a.** a.**.b **.b a **.b.** {a,b} {a,b.**} a{b,c}.* a**b **a a.**b a.{b,**}.c a\.b x.** a-b
              a.**.** **.** a..b {a,{b,c}}.d /^a\.b/ /a\.[bc]/ syslog.* 日.*].freeze
TAGS = %w[a b ab a.b a.c a.b.c a.x.b b.b a.b.b x ab.c ac.d abc a.xb aXb x.y.z a-b a..b a.d b.d c.d syslog.local0 日.本] + ['', '.', 'a.']

def patterns
  PATTERNS.product(TAGS).map do |pattern, tag|
    "#{pattern}\t#{tag}\t#{Fluent::MatchPattern.create(pattern).match(tag) ? 1 : 0}"
  end.join("\n") + "\n"
end

{ 'records.jsonl' => cases, 'captured.json' => captured, 'syntax.jsonl' => syntax, 'patterns.tsv' => patterns }.each do |name, text|
  path = File.join(HERE, name)
  if ARGV.include?('--check')
    same = ->(content) { content.lines.reject { |line| line.include?('made_with') } }
    abort "#{name} differs" unless same.(File.read(path)) == same.(text)
  else
    File.write(path, text)
  end
end
