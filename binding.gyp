# Compiled by `npm run build` (scripts/build.mjs). A new file under addon/ needs no line here.
#
#   -Dwerror=1   warnings are errors: what `npm run build` asks for, and a bare node-gyp does not,
#                so that a compiler newer than ours cannot break somebody's installation
#   -Dsanitize=1 AddressSanitizer and UndefinedBehaviorSanitizer: `npm run test:asan`
#                (`asan` is a variable of Node's own common.gypi, which would add its flags)
#
# As in: node-gyp configure -- -Dwerror=1
{
  'variables': {
    'werror%': 0,
    'sanitize%': 0,
  },
  'targets': [
    {
      'target_name': 'eagain',
      'sources': [
        '<!@(node -p "require(\'fs\').readdirSync(\'addon\', { recursive: true }).filter((name) => name.endsWith(\'.cc\')).sort().map((name) => \'addon/\' + name).join(\' \')")',
      ],
      'include_dirs': ['.'],
      'defines': [
        'NAPI_VERSION=9',
        'NAPI_DISABLE_CPP_EXCEPTIONS',
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ],
      'cflags!': ['-Wno-unused-parameter'],
      'cflags': [
        '-Wall',
        '-Wextra',
        '-fvisibility=hidden',
        # System headers, so that every warning is about our code: GCC and Clang then ignore the -I
        # of the same directory that node-gyp adds. The second path is seen from build/, and
        # relative, so that the repository's own path may contain spaces.
        '-isystem <(node_root_dir)/include/node',
        '-isystem ../<!(node -p "require(\'node-addon-api\').include_dir")',
      ],
      'cflags_cc!': ['-std=gnu++17', '-std=gnu++20'],
      'cflags_cc': ['-std=c++17', '-fno-exceptions', '-fno-rtti', '-fvisibility-inlines-hidden'],
      'conditions': [
        # Not in 'cflags': Node's common.gypi takes -Werror out of every addon's.
        ['werror==1', { 'cflags_cc': ['-Werror'] }],
        ['sanitize==1', {
          'cflags!': ['-O3', '-fomit-frame-pointer'],
          'cflags': [
            '-O1',
            '-g',
            '-fno-omit-frame-pointer',
            '-fsanitize=address,undefined',
            '-fno-sanitize-recover=undefined',
          ],
          'ldflags': ['-fsanitize=address,undefined'],
        }, {
          'cflags': ['-O3'],
        }],
      ],
    },
  ],
}
