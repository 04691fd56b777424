/** The scripts that shells load: each hands the line to `fsu __complete` and offers what comes back. */

/** `tools`: every name that the command answers to, `fsu` first. */
export const scripts: Readonly<Record<string, (tools: readonly string[]) => string>> = {
  bash: (tools) => `# bash completion for fsu and the fsu_ tools; also of bash 3.2.
_fsu() {
  local candidate
  COMPREPLY=()
  while IFS= read -r -d '' candidate; do
    COMPREPLY[\${#COMPREPLY[@]}]=$candidate
  done < <(command fsu __complete bash "$COMP_WORDBREAKS" "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}
complete -o nospace -F _fsu ${tools.join(' ')}
`,
  zsh: (tools) => `#compdef ${tools.join(' ')}
# zsh completion for fsu and the fsu_ tools.
_fsu() {
  local record word says
  local -a finals finalsSay mores moresSay
  for record in "\${(@0)$(command fsu __complete zsh "\${(@Q)words[1,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}"; do
    [[ -n $record ]] || continue
    word=\${record#*$'\\t'}
    says=\${record%%$'\\t'*}
    if [[ $says = +* ]]; then
      mores+=("$word")
      moresSay+=("$word\${says[2]:+  -- \${says[2,-1]}}")
    else
      finals+=("$word")
      finalsSay+=("$word\${says[2]:+  -- \${says[2,-1]}}")
    fi
  done
  (( $#finals )) && compadd -l -d finalsSay -a finals
  (( $#mores )) && compadd -S '' -l -d moresSay -a mores
  return 0
}
if [[ $funcstack[1] = _fsu ]]; then
  _fsu "$@"
else
  compdef _fsu ${tools.join(' ')}
fi
`,
  fish: (tools) => `# fish completion for fsu and the fsu_ tools.
function __fsu_complete
    set -l words (commandline -opc)
    command fsu __complete fish $words (commandline -ct) 2>/dev/null
end
for tool in ${tools.join(' ')}
    complete -c $tool -f -a '(__fsu_complete)'
end
`,
};

export const installing = `A shell completes commands, options, image files, partitions and paths inside images:

  fsu ls disk.img:/et<TAB>        fsu_ls disk.img /et<TAB>

after it has read the script that 'fsu completion SHELL' writes.

bash, in ~/.bashrc:
  source <(fsu completion bash)
or once, where bash-completion looks for it:
  fsu completion bash > ~/.local/share/bash-completion/completions/fsu

zsh, in ~/.zshrc after compinit:
  source <(fsu completion zsh)
or once, in a directory of $fpath:
  fsu completion zsh > ~/.zfunc/_fsu

fish, once:
  fsu completion fish > ~/.config/fish/completions/fsu.fish

The 'fsu' that is first in PATH answers.
`;
